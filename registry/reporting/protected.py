"""Answers for everybody who may not see true numbers: perturbed, hidden where small, all alike.

A question becomes nodes, nodes become truths, and truths pass through `Protection.show`; the rows
are made of what is shown. Nothing here knows who asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from registry.disclosure import (
    PROTECTED_FORMS,
    CountRow,
    Form,
    Node,
    Plan,
    Policy,
    ProportionRow,
    Protection,
    RateRow,
    ShownNode,
    Tree,
    canonical,
    count_row,
    plan,
    proportion_row,
    rate_row,
)
from registry.disclosure.nodes import PlannedRow
from registry.records import (
    DIMENSIONS,
    Cell,
    EventQuery,
    Fault,
    NoSnapshot,
    NotAvailableAtThisDetail,
    ValueKind,
)
from registry.reporting.curve_questions import refuse_what_no_curve_has
from registry.reporting.freshness import Frozen
from registry.reporting.funnel import CRUDE, funnel_of, overall_rate
from registry.reporting.implied import background, held_to_measure
from registry.reporting.keys import Keys
from registry.reporting.measures import Answered
from registry.reporting.observed import Observed, observed_of_shown
from registry.reporting.protected_curves import (
    curve_rows,
    curve_truths,
    refuse_finer_curves,
)
from registry.reporting.protected_signals import shown_signals
from registry.reporting.question import selected_terms
from registry.reporting.rows import Row
from registry.reporting.signals import about_shown
from registry.reporting.summed import refuse_sums
from registry.reporting.trees import refuse_earlier_years, trees_of
from registry.reporting.trend import trend_of
from registry.reporting.truths import Natural, takes_months, truths_of
from registry.snapshot.terms import Terms
from registry.vocabulary import NOT_RECORDED, CellStatus, Denominator, HiddenReason, Measure

OF_RATES = frozenset({Form.RATES, Form.TREND, Form.FUNNEL})
"""Forms made of the nodes of rates."""

POLICY = Policy()
"""What is published; the same for every deployment, so that it can be known and checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedQuestion:
    """A question in its one spelling, and the nodes that answer it."""

    query: EventQuery
    measure: Measure
    form: Form
    plan: Plan
    trees: Mapping[str, Tree]


def read_protected(
    query: EventQuery, *, measure: Measure, frozen: Frozen, per: int
) -> ProtectedQuestion:
    """Make a question ready for a release, in the one spelling that all its spellings have.

    Raises NotAvailableAtThisDetail, naming the nearest that can be had, for what is finer than is
    published, and BadQuery for what is no question. Both follow from the question, the code lists
    and the release's catalogue alone.
    """
    query = held_to_measure(query, measure)
    form = PROTECTED_FORMS.get(measure, Form.WITHHELD)
    if form is Form.WITHHELD:
        POLICY.counted(measure, None)  # says which measures are published
        raise NotAvailableAtThisDetail(
            Fault("measure", NotAvailableAtThisDetail.code, "this measure is not published")
        )
    if query.standardise:
        detail = "adjusted numbers are not published; leave it out for a crude funnel"
        raise NotAvailableAtThisDetail(Fault("standardise", NotAvailableAtThisDetail.code, detail))
    terms = frozen.store.manifest.terms
    trees = trees_of(terms, data_as_of=frozen.data_as_of, policy=POLICY)
    if form is Form.LIFE_TABLE:
        refuse_what_no_curve_has(query, measure, selected_terms(query, terms))
        refuse_finer_curves(query)
    refuse_earlier_years(query, trees["year"])
    planned = plan(query, trees, POLICY)
    refuse_sums(plan(background(query), trees, POLICY) if form is Form.SIGNALS else planned, form)
    spelled = replace(
        canonical(query, trees, POLICY),
        counting=POLICY.counted(measure, query.counting),
        unit=_other_unit(query.unit, planned, trees, terms) if form in OF_RATES else None,
        per=(query.per or per) if form in OF_RATES else None,
        level=query.level if form is not Form.COUNTS else EventQuery().level,
        release=None,  # the answer names its release, however that was chosen
    )
    return ProtectedQuestion(query=spelled, measure=measure, form=form, plan=planned, trees=trees)


def hold_to_keys(frozen: Frozen, keys: Keys) -> None:
    """Refuse a release that was frozen under other keys, or under none.

    Its noise would be other noise, and the mean of two is nearer to the truth than either. Raises
    NoSnapshot.
    """
    if frozen.store.manifest.keys != keys.mark:
        raise NoSnapshot(
            Fault(
                "release",
                "other-keys",
                "This release was frozen without the keys in use and is not published any more: "
                "ask a newer one, or a data manager to freeze one.",
            )
        )


def protected_rows(asked: ProtectedQuestion, *, frozen: Frozen, keys: Keys) -> Answered:
    """The rows of an answer, made of shown nodes only; in the order of the plan."""
    protection = Protection.under(keys.noise, POLICY)
    if asked.form is Form.LIFE_TABLE:
        truths = curve_truths(asked.plan.nodes, store=frozen.store, trees=asked.trees)
        return Answered(
            *curve_rows(
                asked.plan,
                truths,
                protection,
                query=asked.query,
                terms=frozen.store.manifest.terms,
                stored=_stored,
            )
        )
    if asked.form is Form.SIGNALS:
        rows = shown_signals(
            asked.query,
            store=frozen.store,
            trees=asked.trees,
            policy=POLICY,
            protection=protection,
        )
        return Answered(rows, about_shown(rows))
    shown = _shown(asked, asked.plan, frozen=frozen, protection=protection)
    if asked.form is Form.TREND:
        return _trend(asked, shown, frozen)
    if asked.form is Form.FUNNEL:
        whole = plan(replace(asked.query, group_by=()), asked.trees, POLICY)
        return _funnel(
            asked, shown, whole, _shown(asked, whole, frozen=frozen, protection=protection)
        )
    natural = Natural(asked.trees, frozen.store.manifest.terms)
    rows = []
    for row in asked.plan.rows:
        derived = _row(asked, [shown[node] for node in row.nodes])
        numbers = {each.name: getattr(derived, each.name) for each in fields(derived)}
        status = numbers.pop("status")
        if asked.form is Form.RATES:
            numbers["unit"] = _unit_of_row(asked, row, natural)
        rows.append(Row(_key(asked.plan, row), numbers, status))
    return Answered(rows)


def _shown(
    asked: ProtectedQuestion, planned: Plan, *, frozen: Frozen, protection: Protection
) -> dict[Node, ShownNode]:
    """What may be seen of each node of a plan; no true number goes further."""
    truths = truths_of(
        planned.nodes,
        store=frozen.store,
        trees=asked.trees,
        form=Form.RATES if asked.form in OF_RATES else asked.form,
        counting=POLICY.counted(asked.measure, asked.query.counting),
        unit=asked.query.unit,
    )
    return dict(zip(truths, protection.show_all(list(truths.values())), strict=True))


def _key(planned: Plan, row: PlannedRow) -> tuple[Cell, ...]:
    labelled = zip(planned.group_by, row.labels, strict=True)
    return tuple(_stored(name, label) for name, label in labelled)


def _observed(
    asked: ProtectedQuestion, planned: Plan, shown: Mapping[Node, ShownNode]
) -> list[Observed]:
    return [
        observed_of_shown(
            _key(planned, row),
            [shown[node] for node in row.nodes],
            per=asked.query.per or 1,
            level=asked.query.level,
        )
        for row in planned.rows
    ]


def _funnel(
    asked: ProtectedQuestion,
    shown: Mapping[Node, ShownNode],
    whole: Plan,
    shown_whole: Mapping[Node, ShownNode],
) -> Answered:
    """Sites against the rate of the whole selection, a node of its own; hidden sites as hidden."""
    sites = _observed(asked, asked.plan, shown)
    target = overall_rate(_observed(asked, whole, shown_whole))
    if target is None:
        sites = [_not_compared(site) for site in sites]
    expected = {site.key: (target or 0.0) * (site.exposure or 0.0) for site in sites if site.counts}
    return Answered(
        *funnel_of(sites, expected, target=target, per=asked.query.per or 1, standardisation=CRUDE)
    )


def _not_compared(site: Observed) -> Observed:
    """A site that shows, where the rate of all that it is held against does not."""
    if not site.counts:
        return site
    numbers = {**site.numbers, "reason": HiddenReason.MARGINS}
    return replace(site, numbers=numbers, status=CellStatus.HIDDEN)


def _trend(asked: ProtectedQuestion, shown: Mapping[Node, ShownNode], frozen: Frozen) -> Answered:
    found = trend_of(
        _observed(asked, asked.plan, shown),
        per=asked.query.per or 1,
        level=asked.query.level,
        as_of=frozen.data_as_of,
        dated=not shown or any(node.has_exposure for node in shown.values()),
        with_cusum=False,
    )
    return Answered(found.rows, found.meta)


def _row(
    asked: ProtectedQuestion, shown: Sequence[ShownNode]
) -> CountRow | RateRow | ProportionRow:
    query = asked.query
    if asked.form is Form.COUNTS:
        return count_row(shown)
    if asked.form is Form.PROPORTIONS:
        return proportion_row(shown, level=query.level)
    return rate_row(shown, per=query.per or 1, level=query.level)


def _unit_of_row(asked: ProtectedQuestion, row: PlannedRow, natural: Natural) -> str | None:
    """The denominator that the nodes of a row share; an impossible row has none."""
    if not row.nodes:
        return None
    return (asked.query.unit or natural.unit(row.nodes[0])).value


def _stored(name: str, label: str) -> Cell:
    """A label of a row as the exact rows hold it: numbers as numbers, blanks as nothing."""
    if label == NOT_RECORDED:
        return None
    if DIMENSIONS[name].kind is ValueKind.YEAR or name == "severity":
        return int(label)
    return label


def _other_unit(
    unit: Denominator | None, planned: Plan, trees: Mapping[str, Tree], terms: Terms
) -> Denominator | None:
    """The asked denominator where it is another than the rows' own; refused where they have one.

    The same patients divided by another clock are other records with another noise, and each
    further draw brings the mean nearer to the truth: so each node has one denominator. By year,
    where procedures and refills have no dates, that is pump-months, if they are asked for.
    """
    natural = Natural(trees, terms)
    own = {node: natural.unit(node) for node in planned.nodes}
    others = {node for node, natural in own.items() if unit not in (None, natural)}
    if not others:
        return None
    by_year = all(natural is unit or takes_months(node, natural) for node, natural in own.items())
    if by_year and unit is Denominator.PUMP_MONTHS:
        return unit
    named = ", ".join(dict.fromkeys(natural.value for natural in own.values()))
    detail = f"each row is divided by its own denominator ({named}); leave the unit out"
    raise NotAvailableAtThisDetail(Fault("unit", NotAvailableAtThisDetail.code, detail))
