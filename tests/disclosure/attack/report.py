"""What the attacks came to, as a table, and whether any limit is broken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tests.disclosure.attack.judging import Findings, Verdict, judge
from tests.disclosure.attack.limits import (
    LIMIT,
    MOST_FOLLOWED,
    MOST_SURE,
    NAIVE_LOSES,
    NO_BETTER,
)
from tests.disclosure.attack.patience import FIRST_IN_MEAN, practised_insider
from tests.disclosure.attack.record import Record, within_a_month
from tests.disclosure.attack.utility import BANDS, SESSION_DRUG, WORTH_TELLING
from tests.disclosure.attack.yardstick import Yardstick

ON_LIMITS = (0.5, 5.0, 8.0, 20.0, 100.0, 1e9)
"""Bands of the expected number of events, by which coverage of limits is told."""

ON_CURVES = (300, 700, 1_500, 10**9)
"""Bands of the devices that a curve starts with."""

BEYOND_TOTALS = ("G", "E denominators")
"""Attacks whose hint is more than what a cell's totals, which anybody sees, lead to expect."""


@dataclass(slots=True)
class Report:
    """Lines of a table in Markdown, and what broke a limit."""

    lines: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def hold(self, said: str, value: float, limit: float) -> None:
        """Note a limit that is broken."""
        if value > limit:
            self.broken.append(f"{said}: {value:.3g} is over {limit:.3g}")

    def text(self) -> str:
        """The whole report."""
        told = [f"Broken: {each}" for each in self.broken] or ["Every limit holds."]
        return "\n".join([*self.lines, "", *told])


def report(records: Mapping[int, Sequence[Record]], yardstick: Yardstick | None = None) -> Report:
    """Judge registries of each size: every one by what was learnt on the others of its size."""
    told = _of_small_cells(records)
    told.lines += ["", "| registry | check | found | limit |", "|---|---|---|---|"]
    for size, of_size in records.items():
        _nothing_at_all(told, size, of_size)
    told.lines += ["", "| true size | cells | hidden, % | median error, % |", "|---|---|---|---|"]
    _errors(told, [record for of_size in records.values() for record in of_size])
    for size, of_size in records.items():
        _session(told, size, of_size)
    _curves(told, [record for of_size in records.values() for record in of_size])
    if yardstick:
        for size, of_size in records.items():
            _coverage(told, size, of_size, yardstick)
    return told


def report_of_some(records: Mapping[int, Sequence[Record]]) -> Report:
    """Judge registries of which only some attacks were made: those, and the curves' errors."""
    told = _of_small_cells(records)
    _curves(told, [record for of_size in records.values() for record in of_size])
    return told


def _of_small_cells(records: Mapping[int, Sequence[Record]]) -> Report:
    told = Report()
    told.lines += [
        "| registry | attack | small cells | right, % | commonest, % | points above "
        "| by totals alone | limit | sure and right, % | sure, wrong, % | naive, right, % |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for size, of_size in records.items():
        _small_cells(told, size, of_size)
    return told


def verdicts(found: Sequence[Findings]) -> list[Verdict]:
    """Each registry's, learnt on the others."""
    return [judge(one, [*found[:i], *found[i + 1 :]]) for i, one in enumerate(found)]


def insider_verdicts(found: Sequence[Findings], planted: Sequence[int]) -> list[Verdict]:
    """Each registry's, learnt from the public law on cells of the others."""
    return [
        judge(one, [practised_insider(Findings.joined(others), planted, seed=place)])
        for place, one in enumerate(found)
        for others in ([*found[:place], *found[place + 1 :]],)
    ]


def mean(judged: Sequence[Verdict], of: Callable[[Verdict], float]) -> float:
    """Mean over the registries, each weighing the same."""
    return float(np.mean([of(each) for each in judged]))


def _small_cells(told: Report, size: int, records: Sequence[Record]) -> None:
    gains: dict[str, float] = {}
    for said in records[0].findings:
        if not all(said in record.findings for record in records):
            continue  # kept from a run that did not make this attack yet
        judged = verdicts([record.findings[said] for record in records])
        if not sum(verdict.cells for verdict in judged):
            continue  # a registry too small for curves
        naive = records[0].naive.get(said)
        lost = naive and mean(verdicts([r.naive[said] for r in records]), lambda v: v.exact)
        plain = [record.findings[said].without_estimate for record in records]
        by_totals = () if said.startswith(BEYOND_TOTALS) else verdicts(plain)
        gains[said] = _line(told, size, said, judged, lost, by_totals=by_totals)
    if "E 10" in gains and "E 1000" in gains:
        told.hold(f"{size}: E at 1000 over E at 10", gains["E 1000"] - gains["E 10"], NO_BETTER)
    if not all(record.insider for record in records):
        return
    releases = len(records[0].insider) - 1
    ways = [*([own] for own in range(1, releases + 1)), range(FIRST_IN_MEAN, releases + 1)]
    planted = [
        insider_verdicts([record.insider[place] for record in records], way)
        for place, way in enumerate(ways)
    ]
    own = [
        mean(verdicts([record.naive_insider[place] for record in records]), lambda v: v.exact)
        for place in range(len(ways))
    ]
    each = planted[:-1]
    hidden = [place for place, judged in enumerate(each) if sum(v.cells for v in judged)]
    if not hidden:
        told.lines.append(f"| {size:,} | H, planted: no small cell is hidden | 0 |{' |' * 8}")
        return
    worst = max(hidden, key=lambda place: mean(each[place], lambda v: v.gain))
    _line(told, size, f"H, {worst + 1} planted (the worst of {len(each)})", each[worst], max(own))
    _line(told, size, f"H, mean of {len(each)} releases", planted[-1], own[-1], limited=False)


def _line(
    told: Report,
    size: int,
    said: str,
    judged: Sequence[Verdict],
    naive: float | None,
    *,
    by_totals: Sequence[Verdict] = (),
    limited: bool = True,
) -> float:
    gain = mean(judged, lambda v: v.gain)
    sure, wrong = (mean(judged, lambda v: v.sure), mean(judged, lambda v: v.sure_and_wrong))
    limit = LIMIT[said[0]]
    alone = f"{mean(by_totals, lambda v: v.gain):+.1f}" if by_totals else ""
    told.lines.append(
        f"| {size:,} | {said} | {sum(v.cells for v in judged):,} "
        f"| {100 * mean(judged, lambda v: v.exact):.1f} "
        f"| {100 * mean(judged, lambda v: v.commonest):.1f} | {gain:+.1f} | {alone} "
        f"| {f'{limit:g}' if limited else 'told only'} | {100 * sure:.2f} | {100 * wrong:.2f} "
        f"| {'' if naive is None else f'{100 * naive:.0f}'} |"
    )
    if limited:
        told.hold(f"{size}: {said}, points above the commonest", gain, limit)
        told.hold(f"{size}: {said}, sure and right", sure, MOST_SURE)
        few = 2 * np.sqrt(NAIVE_LOSES * (1 - NAIVE_LOSES) / sum(v.cells for v in judged))
        if naive is not None and naive < NAIVE_LOSES - few:
            told.broken.append(f"{size}: {said}: the naive server lost only {100 * naive:.0f} %")
    return gain


def _nothing_at_all(told: Report, size: int, records: Sequence[Record]) -> None:
    def add(said: str, value: str, limit: str) -> None:
        told.lines.append(f"| {size:,} | {said} | {value} | {limit} |")

    implants = ", ".join(f"{record.implants:,}" for record in records)
    add("implants of each registry", implants, "")
    add("requests", f"{sum(record.requests for record in records):,}", "")
    asked, refused = (
        sum(getattr(record, name) for record in records)
        for name in ("universe_asked", "universe_refused")
    )
    add(
        "F: two-way tables asked with all margins, of those offered",
        f"{asked:,} of {records[0].universe:,}; {refused} of them refused",
        "",
    )
    unequal = sum(len(record.unequal) for record in records)
    add(
        f"A: unequal answers to {sum(r.questions for r in records):,} questions "
        f"in {sum(r.spellings for r in records):,} other askings",
        str(unequal),
        "0",
    )
    told.hold(f"{size}: A", unequal, 0)
    said = sorted({each for record in records for each in record.told})
    add("B: things told beside the numbers", "; ".join(said) or "0", "0")
    told.hold(f"{size}: B", len(said), 0)
    slower = np.mean([record.slower for record in records])
    add("B: chance that a small cell took longer than an empty one", f"{slower:.2f}", "0.5 is none")
    shown = sum(record.shown for record in records)
    for name, words in (
        ("shown_small", "under the threshold"),
        ("shown_empty", "of a group without an event"),
    ):
        wrong = sum(getattr(record, name) for record in records)
        add(f"numbers shown, {words}", f"{wrong} of {shown:,}", "0")
        told.hold(f"{size}: numbers shown, {words}", wrong, 0)
    pairs = [pair for record in records for pair in record.device_pairs]
    naive = [pair for record in records for pair in record.naive_device_pairs]
    add(
        f"I: follow-up within a month, of {len(pairs)} differences (naive {len(naive)})",
        f"{100 * within_a_month(pairs):.1f} % (naive {100 * within_a_month(naive):.0f} %)",
        f"{100 * MOST_FOLLOWED:g} %",
    )
    told.hold(f"{size}: I", within_a_month(pairs), MOST_FOLLOWED)


def _errors(told: Report, records: Sequence[Record]) -> None:
    for band in BANDS:
        errors = [e for record in records for e in record.usefulness.errors[band]]
        hidden = sum(record.usefulness.hidden[band] for record in records)
        cells = len(errors) + hidden
        if cells:
            words = f"{band[0]} to {band[1]}" if band[1] < 10**6 else f"{band[0]} and more"
            error = f"{100 * float(np.median(errors)):.0f}" if errors else ""
            told.lines.append(f"| {words} | {cells:,} | {100 * hidden / cells:.1f} | {error} |")


def _session(told: Report, size: int, records: Sequence[Record]) -> None:
    """What a researcher who asks for rates of one drug is told of what there is."""
    told.lines += [
        "",
        f"| {size:,} implants: rates of {SESSION_DRUG} by | rows of {WORTH_TELLING} events or more "
        "| of them told, % | events in rows told, % |",
        "|---|---|---|---|",
    ]
    for names in records[0].usefulness.session:
        asked = [record.usefulness.session[names] for record in records]
        found = [each for each in asked if each is not None]
        if not found:
            told.lines.append(f"| {', '.join(names)} | refused | | |")
            continue
        rows = sum(many for many, _told, _share in found)
        shown = sum(shown for _many, shown, _share in found)
        share = float(np.mean([share for _many, _told, share in found]))
        percent = 100 * shown / max(rows, 1)
        told.lines.append(f"| {', '.join(names)} | {rows} | {percent:.0f} | {100 * share:.0f} |")


def _curves(told: Report, records: Sequence[Record]) -> None:
    """How far protected curves are from Kaplan and Meier's, by the devices they start with."""
    told.lines += [
        "",
        "| devices at the start | points told | median error of survival | 90 % are within |",
        "|---|---|---|---|",
    ]
    found = np.array([each for record in records for each in record.usefulness.curves], float)
    for low, high in pairwise(ON_CURVES):
        errors = found.reshape(-1, 3)
        errors = errors[(errors[:, 0] >= low) & (errors[:, 0] < high), 2]
        if errors.size:
            words = f"{low:,} to {high:,}" if high < 10**6 else f"{low:,} and more"
            told.lines.append(
                f"| {words} | {errors.size} | {np.median(errors):.3f} "
                f"| {np.quantile(errors, 0.9):.3f} |"
            )


def _coverage(told: Report, size: int, records: Sequence[Record], yardstick: Yardstick) -> None:
    """How often limits hold what is expected of the registry, by the number of events expected."""
    told.lines += [
        "",
        f"| {size:,} implants: events expected | rates shown | limits hold, % | exact, % |",
        "|---|---|---|---|",
    ]
    ways = []
    for name in ("limits", "exact_limits"):
        kept = []
        for record in records:
            for labels, (events, rate, lower, upper) in getattr(record.usefulness, name).items():
                true = yardstick.rate(labels, record.hazards) if record.hazards else None
                if true is not None and rate > 0:
                    kept.append((events * true / rate, lower <= true <= upper))
        ways.append(np.array(kept, float).reshape(-1, 2))
    for low, high in pairwise(ON_LIMITS):
        shown, exact = (way[(way[:, 0] >= low) & (way[:, 0] < high)] for way in ways)
        if len(shown):
            words = f"{low:g} to {high:g}" if high < 1e6 else f"{low:g} and more"
            other = f"{100 * exact[:, 1].mean():.0f}" if len(exact) else ""
            told.lines.append(
                f"| {words} | {len(shown)} | {100 * shown[:, 1].mean():.0f} | {other} |"
            )
