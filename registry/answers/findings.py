"""The finding of an answer in one sentence: what is most frequent, or that it is hidden."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from registry.answers.asking import Panel
from registry.answers.landmarks import landmarks_of
from registry.answers.numbers import HIDDEN, in_brackets, in_percent, limits_of, value_of, written
from registry.answers.summaries import named
from registry.answers.tables import GONE, UNITS, status_in_words
from registry.records import Cell, Release
from registry.reporting import MEASURES
from registry.vocabulary import CellStatus

NOTHING = "No event and no device time answers this question."
NO_TOTAL = "No total is told: each of these is counted by itself."
NOT_NONE = "Hidden does not mean none."

Row = Mapping[str, Cell]


def finding_of(release: Release, *, apart: Collection[str] = ()) -> str:
    """One sentence, from the answer's own rows.

    Curves tell the last whole year that has a value. Rates are only ranked among rows that divide
    by the same unit, that of the most rows, and unstable ones only where all are; years are told
    from the first to the last that was over when the data ended.
    apart: complications that no total counts, such as the expected end of service: told after the
    others.
    """
    if not release.rows:
        return NOTHING
    if release.meta.get("curves"):
        return _of_curves(release)
    told = [row for row in release.rows if value_of(row) is not None]
    gone = sum(row["status"] in GONE for row in release.rows)
    of_all = f"{written(gone)} of {written(len(release.rows))} rows are hidden."
    if not told:
        return f"No number is told: {of_all} {NOT_NONE}" if gone else "No number is defined."
    said = [*_ranked(told, release, apart), *([of_all] if gone else ())]
    return " ".join(said)


def _ranked(told: Sequence[Row], release: Release, apart: Collection[str]) -> Iterator[str]:
    if "year" in told[0]:
        yield _of_years(told, release)
        return
    own = [row for row in told if row.get("complication") not in apart]
    alike = _of_one_unit(own or told)
    if len(release.rows) == 1:
        yield f"{in_words(told[0], release)}."
    elif len(alike) == 1 < len(own):
        yield f"{'; '.join(_named(row, release) for row in own)}."
    else:
        stable = [row for row in alike if row["status"] == CellStatus.OK] or alike
        most = max(stable, key=lambda row: value_of(row) or 0.0)
        among = "" if len(alike) == len(own or told) else f" of those divided by {_unit(most)}"
        yield f"Highest{among}: {_named(most, release)}."
    beside = [row for row in told if row not in own] if own else []
    if beside:
        yield f"In no total: {'; '.join(_named(row, release) for row in beside)}."


def _of_years(told: Sequence[Row], release: Release) -> str:
    """The first and the last year that was over."""
    running = str(release.meta["data_as_of"])[:4]
    over = [row for row in told if str(row["year"]) != running] or told
    ends = [over[0]] if len(over) == 1 else [over[0], over[-1]]
    return f"{'; '.join(_named(row, release) for row in ends)}."


def first_finding(panel: Panel, **values: Cell) -> str:
    """One row of an answer in a sentence; that it is hidden, with the reason, where it is."""
    if panel.release is None:
        return ""
    row = panel.row_of(**values)
    if row is None:
        return NO_TOTAL
    if value_of(row) is None:
        return f"All together: {status_in_words(row).lower()}. {NOT_NONE}"
    return f"All together: {in_words(row, panel.release)}."


def _of_one_unit(rows: Sequence[Row]) -> Sequence[Row]:
    units = [row.get("unit") for row in rows]
    usual = max(dict.fromkeys(units), key=units.count)
    return [row for row in rows if row.get("unit") == usual]


def in_words(row: Row, release: Release) -> str:
    """An estimate with its limits and its unit."""
    meta: Mapping[str, Any] = release.meta
    shares = MEASURES[meta["measure"]].reading.shares
    between = in_brackets(limits_of(row["ci_lower"], row["ci_upper"], shares=shares))
    value = value_of(row)
    if shares:
        return f"{in_percent(value)}{between} of {written(row['denominator'])} patients"
    return f"{written(value)}{between} per {written(meta['per'])} {_unit(row)}"


def _unit(row: Row) -> str:
    return UNITS[str(row["unit"])].label.lower() if row.get("unit") else "units"


def _named(row: Row, release: Release) -> str:
    return f"{named(row, release)}, {in_words(row, release)}"


def _of_curves(release: Release) -> str:
    """Every told curve at the last whole year that it has a value at."""
    table = landmarks_of(release)
    if table is None:
        return f"No curve is told at a whole year. {NOT_NONE}"
    said = []
    for group, cells in table.rows:
        known = [place for place, at in enumerate(cells) if at.value not in {"", HIDDEN}]
        if known:
            at = cells[known[-1]]
            limits = in_brackets(at.limits)
            said.append(f"{group} {at.value}{limits} at {table.years[known[-1]]}")
    return f"Free of it: {'; '.join(said)}."
