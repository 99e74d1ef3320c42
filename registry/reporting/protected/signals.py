"""Signals from shown nodes: each pair, its margins and the total, each perturbed as a count is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from registry.disclosure import Form, Node, Plan, Policy, Protection, ShownNode, Tree, plan
from registry.records import EventQuery
from registry.reporting.asking.spec import Row
from registry.reporting.estimating.pairs import background
from registry.reporting.estimating.signals import judged, shown_pair
from registry.reporting.protected.truths import truths_of
from registry.snapshot.store import Store
from registry.vocabulary import NOT_RECORDED, CountingRule


def shown_signals(
    query: EventQuery,
    *,
    store: Store,
    trees: Mapping[str, Tree],
    policy: Policy,
    protection: Protection,
) -> tuple[list[Row], dict[str, Any]]:
    """The pairs that a question asks for, in the order of its plan, and their metadata.

    They are made of shown nodes only. A pair is compared with all of the selection, whichever rows
    are asked for. Which rows there are follows from the question and the trees alone.
    """
    product, level = query.group_by
    whole = background(query)
    pairs = plan(whole, trees, policy)
    chosen = {row.labels for row in plan(query, trees, policy).rows}
    apart = trees["complication"].apart
    margins = {
        names: plan(replace(whole, group_by=names), trees, policy)
        for names in ((product,), (level,), ())
    }

    def shown(planned: Plan, form: Form, counting: CountingRule) -> dict[Node, ShownNode]:
        truths = truths_of(planned.nodes, store=store, trees=trees, form=form, counting=counting)
        return dict(zip(truths, protection.show_all(list(truths.values())), strict=True))

    counts: dict[Node, ShownNode] = {}
    for planned in (pairs, *margins.values()):
        counts |= shown(planned, Form.COUNTS, CountingRule.DEVICES)
    rates = shown(pairs, Form.RATES, CountingRule.FIRST_EVENT)
    rates |= shown(margins[(level,)], Form.RATES, CountingRule.FIRST_EVENT)
    node_of = {
        (names, row.labels): node
        for names, planned in margins.items()
        for row in planned.rows
        for node in row.nodes
    }
    found = []
    for row in pairs.rows:
        one, other = row.labels
        if one == NOT_RECORDED or other in apart:
            continue
        for pair in row.nodes:
            of_event = node_of[(level,), (other,)]
            three = (node_of[(product,), (one,)], of_event, node_of[(), ()])
            found.append(
                shown_pair(
                    (one, other),
                    counts[pair],
                    [counts[node] for node in three],
                    rate=[rates[pair]],
                    group=[rates[of_event]],
                    level=query.level,
                    is_asked=row.labels in chosen,
                )
            )
    return judged(found)
