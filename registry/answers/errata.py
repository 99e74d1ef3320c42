"""What a release tells otherwise than the one before it, of five-year periods that were over then.

Made of two protected answers to the same question, and of nothing else: records that were added,
corrected or withdrawn are not counted, since whether a record changed is what protection hides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.answers.asking import Panel, Refused
from registry.answers.findings import in_words
from registry.answers.numbers import value_of
from registry.answers.whole_years import last_whole_year
from registry.records import Cell

Row = Mapping[str, Cell]
GROUPS = ("category", "period")


@dataclass(frozen=True, slots=True)
class ChangedRate:
    """One rate that lies outside the limits that the release before gave it, in words."""

    category: str
    period: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Errata:
    """The comparison with one earlier release.

    compared: how many rates both tell; changed: those outside their earlier limits; hidden, shown:
    names of those that only the earlier, only the later release tells. receipts: of the earlier
    and of the later answer. refused: why the earlier release is not compared.
    """

    before: str
    compared: int = 0
    changed: Sequence[ChangedRate] = ()
    hidden: Sequence[str] = ()
    shown: Sequence[str] = ()
    receipts: tuple[str, ...] = ()
    refused: Refused | None = None


def errata_of(label: str, before: Panel, now: Panel) -> Errata | None:
    """The errata of the release of `now` to that of `before`, which is called `label`.

    Both panels are protected rates by category and five-year period. None where there is no answer
    to compare with.
    """
    if now.release is None:
        return None
    if before.release is None:
        return Errata(before=label, refused=before.refused)
    until = last_whole_year(before.meta)
    old = {_key(row): row for row in before.rows if _is_over(row, until)}
    new = {_key(row): row for row in now.rows}
    told = [key for key, row in old.items() if value_of(row) is not None]
    both = [key for key in told if key in new and value_of(new[key]) is not None]
    later = [key for key, row in new.items() if value_of(row) is not None and key not in told]
    return Errata(
        before=label,
        compared=len(both),
        changed=[
            ChangedRate(
                category=str(new[key].get("category_label", new[key]["category"])),
                period=str(new[key]["period"]),
                before=in_words(old[key], before.release),
                now=in_words(new[key], now.release),
            )
            for key in both
            if _lies_outside(new[key], old[key])
        ],
        hidden=[_name(old[key]) for key in told if key not in both],
        shown=[_name(new[key]) for key in later if _is_over(new[key], until)],
        receipts=(before.release.receipt, now.release.receipt),
    )


def sentences_of(errata: Errata | None) -> Iterator[str]:
    """What was compared, how much of it changed, and what a change can mean."""
    if errata is None or errata.refused:
        return
    was = f"release {errata.before}"
    over = f"that were over when {was} was made"
    if not errata.compared:
        yield f"No rate of a category in five years {over} is told by both releases."
    elif not errata.changed:
        yield (
            f"Of {errata.compared} rates of a category in five years {over}, none lies outside the "
            "limits that were told then."
        )
    else:
        lie = "lies" if len(errata.changed) == 1 else "lie"
        yield (
            f"Of {errata.compared} rates of a category in five years {over}, "
            f"{len(errata.changed)} {lie} outside the limits that were told then: below."
        )
    if errata.hidden:
        yield f"Told then and hidden now: {'; '.join(errata.hidden)}."
    if errata.shown:
        yield f"Hidden then and told now: {'; '.join(errata.shown)}."
    yield (
        "Records of past years are still added, corrected, rejected and withdrawn, and the noise "
        "of protection is drawn anew where they are; how many were is not told."
    )


def _key(row: Row) -> tuple[Cell, ...]:
    return tuple(row[name] for name in GROUPS)


def _name(row: Row) -> str:
    return f"{row.get('category_label', row['category'])} {row['period']}"


def _is_over(row: Row, until: int | None) -> bool:
    """Whether the period of a row had ended by a year; never that of rows without a period."""
    last = str(row["period"]).rpartition("-")[2]
    return until is not None and last.isdigit() and int(last) <= until


def _lies_outside(row: Row, of: Row) -> bool:
    value, lower, upper = value_of(row), of["ci_lower"], of["ci_upper"]
    if value is None or not isinstance(lower, int | float) or not isinstance(upper, int | float):
        return False
    return row.get("unit") == of.get("unit") and not lower <= value <= upper
