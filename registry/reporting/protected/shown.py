"""Rows made of shown nodes: what the protected forms of measures are built from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial

from registry.disclosure import (
    CountRow,
    Form,
    Node,
    Plan,
    ProportionRow,
    Protection,
    RateRow,
    ShownNode,
)
from registry.disclosure.nodes import PlannedRow
from registry.records import DIMENSIONS, Cell, ValueKind
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import Answered, ProtectedForm, ProtectedQuestion, Row
from registry.reporting.estimating.observed import Observed, observed_of_shown
from registry.reporting.protected.curves import curve_rows, curve_truths, finer_curves
from registry.reporting.protected.truths import Natural, truths_of
from registry.reporting.words.published import about_curves
from registry.vocabulary import NOT_RECORDED, CountingRule

Rowed = Callable[[Sequence[ShownNode]], CountRow | RateRow | ProportionRow]


def rows_of_plan(
    question: ProtectedQuestion,
    frozen: Frozen,
    protection: Protection,
    *,
    form: Form,
    row_of: Rowed,
    with_unit: bool = False,
) -> Answered:
    """A row for each row of the plan, in its order. with_unit: whether rows name a denominator."""
    shown = shown_nodes(question, question.plan, frozen=frozen, protection=protection, form=form)
    natural = Natural(question.trees, frozen.store.manifest.terms)
    rows = []
    for row in question.plan.rows:
        derived = row_of([shown[node] for node in row.nodes])
        numbers = {each.name: getattr(derived, each.name) for each in fields(derived)}
        status = numbers.pop("status")
        if with_unit:
            numbers["unit"] = _unit_of_row(row, natural)
        rows.append(Row(_key(question.plan, row), numbers, status))
    return Answered(rows)


def shown_nodes(
    question: ProtectedQuestion,
    planned: Plan,
    *,
    frozen: Frozen,
    protection: Protection,
    form: Form = Form.RATES,
) -> dict[Node, ShownNode]:
    """What may be seen of each node of a plan; no true number goes further."""
    truths = truths_of(
        planned.nodes,
        store=frozen.store,
        trees=question.trees,
        form=form,
        counting=question.counting,
    )
    return dict(zip(truths, protection.show_all(list(truths.values())), strict=True))


def curve_form(form: Form, *, method: str, competing: bool) -> ProtectedForm:
    """The protected form of a curve: of freedom from the event, or of its probability (competing).

    method: how the curve and its limits are found, in words.
    """
    return ProtectedForm(
        form=form,
        counting=(CountingRule.FIRST_EVENT,),
        rows=partial(_curves, competing=competing),
        method=method,
        minimums=lambda question, policy: {"curve_minimum": policy.curve_minimum},
        changed=about_curves,
        refuses=finer_curves,
        no_sums="curves",
        splits_sums=True,
    )


def _curves(
    question: ProtectedQuestion, frozen: Frozen, protection: Protection, *, competing: bool
) -> Answered:
    """A curve for each row of the plan."""
    truths = curve_truths(
        question.plan.nodes, store=frozen.store, trees=question.trees, competing=competing
    )
    return Answered(
        *curve_rows(
            question.plan,
            truths,
            protection,
            query=question.query,
            terms=frozen.store.manifest.terms,
            stored=stored,
            competing=competing,
        )
    )


def observed_rows(
    question: ProtectedQuestion, planned: Plan, shown: Mapping[Node, ShownNode]
) -> list[Observed]:
    """The rows of a plan of rates, as a trend or a funnel is drawn from them."""
    return [
        observed_of_shown(
            _key(planned, row),
            [shown[node] for node in row.nodes],
            per=question.query.per or 1,
            level=question.query.level,
        )
        for row in planned.rows
    ]


def stored(name: str, label: str) -> Cell:
    """A label of a row as the exact rows hold it: numbers as numbers, blanks as nothing."""
    if label == NOT_RECORDED:
        return None
    if DIMENSIONS[name].kind is ValueKind.YEAR or name == "severity":
        return int(label)
    return label


def _key(planned: Plan, row: PlannedRow) -> tuple[Cell, ...]:
    labelled = zip(planned.group_by, row.labels, strict=True)
    return tuple(stored(name, label) for name, label in labelled)


def _unit_of_row(row: PlannedRow, natural: Natural) -> str | None:
    """The denominator that the nodes of a row share; an impossible row has none."""
    if not row.nodes:
        return None
    return natural.unit(row.nodes[0]).value
