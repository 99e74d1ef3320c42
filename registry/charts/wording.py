"""Texts in and below a picture: figures, hidden numbers, and the counting rule."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from registry.charts.theme import LETTER
from registry.records import Cell, Release
from registry.vocabulary import LEAST_SHOWN, CellStatus, Denominator, HiddenReason, Profile

FEW = f"<{LEAST_SHOWN}"
"""The text for a hidden count, the same for every hidden count."""
HIDDEN = "hidden"
"""The text for a number from which a hidden count could be derived."""
WHY_FEW = (
    f'"{FEW}": a count under {LEAST_SHOWN}, or none, or one that would be without the sites that'
    f" add most to it; what derives from it is {HIDDEN}. Hidden is not zero."
)
UNDEFINED = "not defined"
"""The text for a number that is undefined, such as a ratio to 0."""
GONE = frozenset({CellStatus.SUPPRESSED, CellStatus.HIDDEN})
"""The statuses of numbers that protection hides."""
REASONS = {each.value: each for each in HiddenReason}
WHY_UNSTABLE = "Unstable: from fewer than 20 events."
WHY_PALE = "Pale and marked unstable: from fewer than 20 events."
WHY_PARTIAL = "Marked partial: hidden cells are left out of the sum, so that it is at least this."
NO_DENOMINATOR = "no denominator"
NOT_RECORDED = {"not-recorded": "Not recorded"}
COUNTED = frozenset({"n", "events", "numerator"})


def figure(value: Cell) -> str:
    """A number for readers: whole numbers grouped, others to three figures or more."""
    if value is None or isinstance(value, bool | str):
        return "" if value is None else str(value)
    if float(value).is_integer():
        text = f"{int(value):,}"
    else:
        text = f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}", 1) if value < 0 else text


def percent(share: Cell) -> str:
    """A share in per cent without the sign: to one decimal, under 1 % to two figures."""
    if not isinstance(share, int | float):
        return ""
    value = 100 * share
    text = f"{value:.1f}" if abs(value) >= 1 or not value else f"{value:.2g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def estimate(value: Cell, lower: Cell, upper: Cell, *, share: bool = False) -> str:
    """An estimate with its limits, as in `8.5 % (6.2 to 11.6)`; the limits only where both are."""
    write = percent if share else figure
    text = f"{write(value)} %" if share else write(value)
    if lower is None or upper is None:
        return text
    return f"{text} ({write(lower)} to {write(upper)})"


def absent(status: object, *, counted: bool) -> str:
    """The text for a missing number; never 0 or blank.

    counted: whether it is a count, so that a suppressed one is known to be small.
    """
    if status == CellStatus.NO_DENOMINATOR:
        return NO_DENOMINATOR
    if status not in GONE:
        return UNDEFINED
    return FEW if counted and status == CellStatus.SUPPRESSED else HIDDEN


def why_absent(row: Mapping[str, Cell], *, counted: bool) -> str:
    """The text for a missing number with the reason: `hidden: too little to divide by`."""
    text, reason = absent(row["status"], counted=counted), row.get("reason")
    return f"{text}: {REASONS[str(reason)].label.lower()}" if reason else text


def remark(status: object) -> str:
    """The mark of a doubtful number."""
    return {CellStatus.UNSTABLE.value: " unstable", CellStatus.PARTIAL.value: " partial"}.get(
        str(status), ""
    )


def label_of(row: Mapping[str, Cell], name: str) -> str:
    """A row's value of a dimension, in words where the answer has them."""
    text = str(row.get(f"{name}_label", row[name]))
    return NOT_RECORDED.get(text, text)


def unit_in_words(unit: object, per: object) -> str:
    """The unit of a rate, as in `per 1,000 pump-months`."""
    named = {each.value: each.label.lower() for each in Denominator}.get(str(unit), str(unit))
    return f"per {figure(per)} {named}" if isinstance(per, int) else f"per {named}"


def reasons_of(rows: Iterable[Mapping[str, Cell]]) -> str:
    """The reasons of rows hidden for another reason than their count; empty where none is."""
    reasons = {row.get("reason") for row in rows}
    return ", or ".join(each.label.lower() for each in HiddenReason if each in reasons)


def statuses_in_words(
    rows: Iterable[Mapping[str, Cell]], *, unstable: str = WHY_UNSTABLE
) -> list[str]:
    """The legend of the marks of hidden and doubtful numbers that the rows have.

    unstable: how a picture marks rows from few events; nothing where it does not.
    """
    there = list(rows)
    found = {str(row.get("status")) for row in there}
    said = {
        CellStatus.SUPPRESSED: WHY_FEW,
        CellStatus.HIDDEN: f'"{HIDDEN}": {reasons_of(there)}. Hidden is not zero.',
        CellStatus.PARTIAL: WHY_PARTIAL,
        CellStatus.UNSTABLE: unstable,
    }
    return [words for status, words in said.items() if words and status.value in found]


def subtitle_of(release: Release) -> list[str]:
    """The counting rule, the denominator, and the method of the interval."""
    meta: Mapping[str, Any] = release.meta
    said = [f"Counted: {meta['counting_in_words']}"]
    units = {each.value: each.label.lower() for each in Denominator}
    if release.reading.of_all and meta.get("denominator"):
        said.append(f"Of: {meta['denominator']}.")
    elif meta.get("denominator") in units:
        said.append(f"Divided by: {units[meta['denominator']]}.")
    if release.reading.says_method and meta.get("method"):
        level = meta.get("level") if release.reading.has_level else None
        before = f"{100 * level:.3g} % limits: " if isinstance(level, float) else ""
        said.append(f"{before}{meta['method']}")
    return said


def source_of(release: Release) -> str:
    """The snapshot or release, when its data are from, and the protection."""
    meta: Mapping[str, Any] = release.meta
    frozen = meta["snapshot"]
    source = f"release {frozen['label']}" if frozen["label"] else f"snapshot {frozen['id'][:12]}"
    exact = meta["profile"] == Profile.EXACT
    protection = "Exact numbers" if exact else "Protected numbers: perturbed, small ones hidden"
    return f"Data as of {day_of(meta['data_as_of'])}, {source}. {protection}."


def day_of(instant: str | None) -> str:
    """A day in words; an empty registry has none."""
    if not instant:
        return "no entry yet"
    day = datetime.fromisoformat(instant)
    return f"{day.day} {day:%B %Y}"


def lines(sentences: Sequence[str], *, width: float) -> list[str]:
    """Sentences wrapped into lines that fit a width in pixels."""
    letters = max(int(width / LETTER), 30)
    return [line for sentence in sentences for line in wrap(sentence, letters)]


def counted_in_words(n: int, one: str, many: str) -> str:
    """A count with its noun, as in `1 row` and `2 rows`."""
    return f"{n:,} {one if n == 1 else many}"
