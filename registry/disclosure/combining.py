"""Which dimensions stand together in a node, and the refusal of everything else.

A complication, a category or all go with one other dimension; a site with a category or with a
year. A refusal names the nearest that can be had.
"""

from collections.abc import Iterable, Mapping, Sequence

from registry.disclosure.policy import Offered, Policy
from registry.disclosure.tree_questions import TreeQuestion, ends_of
from registry.disclosure.trees import Tree
from registry.records import EventQuery, Fault, NotAvailableAtThisDetail
from registry.records.enumeration import enumerated

TOO_FINE = NotAvailableAtThisDetail.code


def other_windows(query: EventQuery, trees: Mapping[str, Tree]) -> list[Fault]:
    """Windows that are no union of those that are told apart, and no window at all."""
    if query.values("window"):
        detail = "events without a month are in the totals only; leave it out"
        return [Fault("window", TOO_FINE, detail)]
    if not query.windows:
        return []
    tree = trees["window"]
    ends = [ends_of(value) for value in tree.values]
    starts, stops = {start for start, _ in ends}, {stop for _, stop in ends}
    if all(each.start in starts and each.end in stops for each in query.windows):
        return []
    listed = _either([*tree.values, *tree.groups])
    detail = f"months since implant are published in windows: ask for {listed}"
    return [Fault("window", TOO_FINE, detail)]


def several_values(question: TreeQuestion) -> list[Fault]:
    """Patients do not add up over the event's side: a row there is a single place."""
    of_one_place = all(len(places) <= 1 for _labels, places in question.rows())
    if of_one_place or not question.offered.of_event:
        return []
    tree, name = question.tree, question.tree.name
    nearest = ["one value", "all of them"]
    if question.offered.group is not None:
        touched = dict.fromkeys(
            tree.group_of[value] for value in tree.values if value in question.selection
        )
        nearest.insert(1, f"one {question.offered.group} ({', '.join(touched)})")
    detail = f"patients do not add up over these values; ask for {_either(nearest)}"
    if name not in question.group_by:
        detail += f", or group by {name}"
    return [Fault(name, TOO_FINE, detail)]


def not_combined(
    questions: Sequence[TreeQuestion], policy: Policy, *, by_funnel: bool
) -> list[Fault]:
    """What stands together in no node, by the only combinations that are computed."""
    used = [each for each in questions if each.restricts]
    if any(each.tree.name == "site" for each in used):
        return _crossed_by_site(used, policy, by_funnel=by_funnel)
    names = [each.tree.name for each in used if each.tree.name != "complication"]
    if len(names) <= policy.most_beside:
        return []
    detail = (
        "a complication, a category or all go with one other dimension; keep one of "
        f"{_either(names)}"
    )
    return [Fault("group_by", TOO_FINE, detail)]


def _crossed_by_site(
    used: Sequence[TreeQuestion], policy: Policy, *, by_funnel: bool
) -> list[Fault]:
    others = [each for each in used if each.tree.name != "site"]
    if not others or (len(others) == 1 and _may_cross_site(others[0], policy, by_funnel)):
        return []
    crossings = [
        f"site with {offered.group if only_groups else name}"
        for name, only_groups in policy.with_site.items()
        if (offered := policy.offer(name)) is not None
    ]
    return [Fault("site", TOO_FINE, f"ask for {_either(['site alone', *crossings])}")]


def _may_cross_site(question: TreeQuestion, policy: Policy, by_funnel: bool) -> bool:
    name = question.tree.name
    if by_funnel and name == "complication":
        return True
    only_groups = policy.with_site.get(name)
    return only_groups is not None and (not only_groups or question.is_coarse)


def combinable(policy: Policy) -> dict[str, tuple[str, ...]]:
    """What each offered parameter may stand with in one question, two at a time."""
    named = {
        name: offered
        for offered in policy.offered
        for name in (offered.name, offered.group)
        if name is not None
    }
    return {
        one: tuple(other for other in named if _may_meet(one, other, named, policy))
        for one in named
    }


def _may_meet(one: str, other: str, named: Mapping[str, Offered], policy: Policy) -> bool:
    """Whether two parameters may stand together; named: the dimension that each belongs to."""
    if named[one] is named[other]:
        return False
    parameters = {named[one].name: one, named[other].name: other}
    if "site" in parameters:
        (beside,) = (name for name in parameters if name != "site")
        only_groups = policy.with_site.get(beside)
        is_group = parameters[beside] == named[beside].group
        return only_groups is not None and (is_group or not only_groups)
    return "complication" in parameters


def _either(words: Iterable[str]) -> str:
    return enumerated(words, last="or")
