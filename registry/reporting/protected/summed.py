"""Which protected answers are no sums: what is told of one node cannot be added to another's."""

from collections.abc import Iterable, Sequence

from registry.disclosure import Node, Plan
from registry.records import Fault, NotAvailableAtThisDetail
from registry.reporting.asking.spec import ProtectedForm


def refuse_sums(planned: Plan, form: ProtectedForm) -> None:
    """Refuse rows of several nodes where they do not add up; raises NotAvailableAtThisDetail."""
    if not form.no_sums:
        return
    several = dict.fromkeys(
        name for row in planned.rows for name in _told_apart(row.nodes) if len(row.nodes) > 1
    )
    if several:
        raise NotAvailableAtThisDetail(
            [
                Fault(
                    name,
                    NotAvailableAtThisDetail.code,
                    f"{form.no_sums} do not add up over several values; ask for one value, one "
                    f"group or all of them{_grouped(name, form)}",
                )
                for name in several
            ]
        )


def _grouped(name: str, form: ProtectedForm) -> str:
    return f", or group by {name}" if form.splits_sums else ""


def _told_apart(nodes: Sequence[Node]) -> Iterable[str]:
    names = dict.fromkeys(name for node in nodes for name in node)
    return (name for name in names if len({node.get(name) for node in nodes}) > 1)
