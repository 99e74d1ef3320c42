"""Which protected answers are no sums: what is told of one node cannot be added to another's."""

from collections.abc import Iterable, Sequence

from registry.disclosure import Form, Node, Plan
from registry.records import Fault, NotAvailableAtThisDetail

NO_SUMS = {Form.LIFE_TABLE: "curves", Form.SIGNALS: "pairs and what they are compared with"}
"""Forms whose rows are a single node each, by what does not add up."""


def refuse_sums(planned: Plan, form: Form) -> None:
    """Refuse rows of several nodes where they do not add up; raises NotAvailableAtThisDetail."""
    if form not in NO_SUMS:
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
                    f"{NO_SUMS[form]} do not add up over several values; ask for one value, one "
                    f"group or all of them{_grouped(name, form)}",
                )
                for name in several
            ]
        )


def _grouped(name: str, form: Form) -> str:
    return f", or group by {name}" if form is Form.LIFE_TABLE else ""


def _told_apart(nodes: Sequence[Node]) -> Iterable[str]:
    names = dict.fromkeys(name for node in nodes for name in node)
    return (name for name in names if len({node.get(name) for node in nodes}) > 1)
