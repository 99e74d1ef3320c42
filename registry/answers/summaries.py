"""An answer's findings in a few sentences: medians, tests, trends, signals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from registry.answers.landmarks import ALL, MOST_CURVES, groups_of
from registry.answers.numbers import in_percent, range_of, written
from registry.answers.reader_words import in_reader_words
from registry.answers.tables import SIGNALS
from registry.charts.years import crude_ratio, other_years_left_out, years_together
from registry.records import DIMENSIONS, Cell, Release
from registry.records.enumeration import enumerated
from registry.records.reading import OTHERS, REFERENCE_NOTE

TOO_FEW = "too few devices or events to show"

Told = Mapping[str, Any]

BEYOND = {place: words for place, words in SIGNALS.items() if place not in {"within", "not-judged"}}
ENDS = {
    "event": "with the event",
    "death": "died before it",
    "explant": "explanted before it",
    "therapy_stopped": "with the therapy ended before it",
    "free": "free of it",
}
"""The ends of the devices of an incidence curve, in words."""


def summary_of(release: Release) -> list[str]:
    """The findings of an answer in words; empty for a measure without any beside its rows."""
    said: list[str] = []
    for name, tell in TELL.items():
        found = release.meta.get(name)
        if found:
            said.extend(in_reader_words(sentence) for sentence in tell(found, release))
    return said


def curves(found: Sequence[Told], release: Release) -> Iterator[str]:
    """Each curve's devices, events and median; groups too small for that in one sentence."""
    sentences: list[str] = []
    few: list[str] = []
    for each, group in zip(found, groups_of(found), strict=True):
        words = ", ".join(_curve(each))
        if words == TOO_FEW and group != ALL:
            few.append(group)
        else:
            sentences.append(f"{group}: {words}.")
    yield from sentences[:MOST_CURVES]
    if len(sentences) > MOST_CURVES:
        yield f"And {len(sentences) - MOST_CURVES} more curves, in the table."
    if few:
        yield f"{TOO_FEW.capitalize()}: {'; '.join(few)}."


def _curve(each: Told) -> Iterator[str]:
    devices, events = each.get("devices"), each.get("events")
    yield f"{written(devices)} devices" if devices is not None else TOO_FEW
    if events is not None:
        yield f"{written(events)} event{'' if events == 1 else 's'}"
    yield from _median(each)
    mean = each.get("restricted_mean")
    if mean:
        yield (
            f"on average {written(mean['mean_months'])} months "
            f"({range_of(mean['ci_lower'], mean['ci_upper'])}) free of it from month "
            f"{mean['from_months']} to {mean['until_months']}"
        )
    for by in each.get("means") or ():
        yield f"{written(by['mean'])} events a device by {written(by['months'])} months"
    ends = {name: share for name, share in (each.get("at_end") or {}).items() if share is not None}
    if ends:
        shares = [f"{in_percent(share)} {ENDS[name]}" for name, share in ends.items()]
        yield f"at the end {', '.join(shares)}"
    if each.get("excluded_before_entry"):
        yield f"{written(each['excluded_before_entry'])} left out, with an event before entry"


def _median(each: Told) -> Iterator[str]:
    """When half of the devices had the event; nothing for a hidden curve."""
    median, between = each.get("median_months"), each.get("median_between")
    lower, upper = each.get("median_lower"), each.get("median_upper")
    if median is not None:
        limits = f" ({range_of(lower, upper)})" if None not in (lower, upper) else ""
        if lower is not None and upper is None:
            limits = f" (from {written(lower)})"
        yield f"median {written(median)} months{limits}"
    elif between:
        limits = f" ({range_of(lower, upper)})" if None not in (lower, upper) else ""
        yield f"median after {written(between[0])} and by {written(between[1])} months{limits}"
    elif "median_months" in each and each.get("starts_at_months") is not None:
        least = f", at least {written(lower)} months" if lower is not None else ""
        yield f"median not reached{least}"


def logrank(found: Told, release: Release) -> Iterator[str]:
    """The log-rank test of the curves, or why there is none."""
    yield _test_of_curves("Log-rank test", found, without="No log-rank test")


def stratified_logrank(found: Told, release: Release) -> Iterator[str]:
    """The log-rank test within strata, or why there is none."""
    names = [DIMENSIONS[name].title.lower() for name in found["adjusted_for"]]
    within = f"Log-rank test within strata of {enumerated(names, last='and')}"
    yield _test_of_curves(within, found, without=f"No {within[0].lower()}{within[1:]}")


def gray(found: Told, release: Release) -> Iterator[str]:
    """Gray's test of the curves, or why there is none."""
    yield _test_of_curves("Gray's test", found, without="No test of the curves")


def _test_of_curves(name: str, found: Told, *, without: str) -> str:
    if found.get("chi2") is None:
        return f"{without}. {found.get('reason') or 'There is nothing to compare.'}"
    df = found["df"]
    degrees = "degree" if df == 1 else "degrees"
    said = (
        f"{name} of the curves: chi-squared {written(found['chi2'])} on {df} {degrees} of "
        f"freedom, {p_value(found['p'])}."
    )
    if found.get("adjusted_for"):
        return said
    return f"{said} It does not adjust for differences between the groups."


def funnel(found: Told, release: Release) -> Iterator[str]:
    """The rate that sites are compared with, and the variation between sites."""
    per = found.get("per")
    if found.get("target_rate") is not None:
        unit = f" per {written(per)} {release.meta.get('denominator')}" if per else ""
        yield (
            f"{written(found.get('sites'))} sites against the rate of all, "
            f"{written(found['target_rate'])}{unit}; {_adjusted(found.get('standardisation'))}."
        )
    spread, verdicts = found.get("overdispersion") or {}, found.get("verdicts") or {}
    if verdicts.get("reason"):
        yield str(verdicts["reason"])
        return
    if verdicts:
        yield f"{found['multiplicity']}."
    elif spread.get("applied"):
        yield (
            "Sites vary more than by chance alone: the limits are widened (between-site "
            f"variance {written(spread['tau2'])}, phi {written(spread['phi'])})."
        )
    elif spread.get("reason"):
        yield f"The limits are not widened for variation between sites. {spread['reason']}"
    for place, words in BEYOND.items():
        if sites := [named(row, release) for row in release.rows if row["signal"] == place]:
            yield f"{words}: {', '.join(sites)}."


def comparison(found: Told, release: Release) -> Iterator[str]:
    """What is compared with what, the joint test, and what makes the regression doubtful."""
    if found.get("reason"):
        yield f"Nothing is compared. {found['reason']}"
        return
    adjusted = [DIMENSIONS[name].title.lower() for name in found.get("adjusted_for") or ()]
    against = next((row for row in release.rows if row["note"] == REFERENCE_NOTE), None)
    how = f", adjusted for {enumerated(adjusted, last='and')}" if adjusted else ", crude"
    if found.get("reference") == OTHERS:
        yield f"Each compared with all others together{how}."
    elif against is not None:
        yield f"Compared with {named(against, release)}{how}."
    yield from _joint_test(found.get("test") or {})
    if found.get("sparse"):
        yield (
            f"Sparse: {written(found['events'])} events for {found['parameters']} parameters. "
            "Adjusted ratios are then too far from 1: adjust for fewer or coarser dimensions."
        )
    if apart := found.get("differ_from_mantel_haenszel"):
        yield (
            f"Over 10 % from the ratio of Mantel-Haenszel: {', '.join(apart)}. The ratio may "
            "differ between strata: look at them one by one, as rates."
        )
    if without := [named(row, release) for row in release.rows if row["status"] == "zero"]:
        yield f"No events, and so no ratio: {'; '.join(without[:MOST_CURVES])}."


def _joint_test(test: Told) -> Iterator[str]:
    if test.get("statistic") is None:
        return
    df = str(test["df"]) if not test.get("df_within") else f"{test['df']} and {test['df_within']:g}"
    robust = {"patients": "robust to patients", "sites": "robust to sites"}
    how = robust.get(str(test.get("robust_to")), "Poisson variance")
    yield (
        f"Joint test that no group differs: {test['name']} {written(test['statistic'])} on {df} "
        f"degrees of freedom, {p_value(test['p'])} ({how})."
    )


def _adjusted(how: Any) -> str:
    """How the comparison is standardised, in words."""
    return "not standardised" if how in {None, "crude"} else f"standardised: {how}"


def trend(found: Told, release: Release) -> Iterator[str]:
    """The change from year to year, or why it cannot be estimated."""
    if found.get("rate_ratio") is None:
        yield f"No trend. {found.get('reason') or 'There is too little to fit one.'}"
    else:
        limits = ""
        if found.get("ci_lower") is not None and found.get("ci_upper") is not None:
            limits = f" ({range_of(found['ci_lower'], found['ci_upper'])})"
        p = f", {p_value(found['p'])}" if found.get("p") is not None else ""
        years = found["periods"] + sum(len(each) - 1 for each in found.get("pooled") or ())
        yield (
            f"From one year to the next the rate {change_of(found)}: rate ratio "
            f"{written(found['rate_ratio'])}{limits}{p}, over {years} years{_held(found)}."
        )
    yield from crude_ratio(found)
    if found.get("dropped_period"):
        yield f"{found['dropped_period']} is not over and is left out of the trend."
    if others := other_years_left_out(found):
        yield f"Left out too, since more of their events are still to come: {others}."
    yield from years_together(found)
    yield from _cusum(found.get("cusum") or {}, release)


def _cusum(found: Told, release: Release) -> Iterator[str]:
    """The years that alarm, what they are held against, and what it takes; or why there is none."""
    if not found:
        return
    if found.get("reason"):
        yield f"No CUSUM. {found['reason']}"
        return
    alarms = [str(row["year"]) for row in release.rows if row.get("alarm")]
    which = f"alarms in {enumerated(alarms, last='and')}" if alarms else "no year alarms"
    first, last = found["baseline"]
    yield (
        f"CUSUM: {which}, against the rate of {first} to {last}; "
        f"{written(found['h'])} events in excess alarm."
    )


def _held(found: Told) -> str:
    names = [DIMENSIONS[name].title.lower() for name in found.get("adjusted_for") or ()]
    return f", with {enumerated(names, last='and')} held alike" if names else ""


def change_of(found: Told) -> str:
    """The direction and size of a trend whose limits exclude no change."""
    if not is_clear(found):
        return "shows no clear change"
    change = 100 * (found["rate_ratio"] - 1)
    return f"{'rises' if change > 0 else 'falls'} by {written(abs(change))} %"


def is_clear(found: Told) -> bool:
    """Whether the limits of a trend exclude no change."""
    lower, upper = found.get("ci_lower"), found.get("ci_upper")
    return lower is not None and upper is not None and not lower <= 1 <= upper


def signals(found: Told, release: Release) -> Iterator[str]:
    """The pairs that are signals, the rule, and how many pairs were tested."""
    pairs = [named(row, release) for row in release.rows if row["signal"]]
    if not pairs:
        yield "No pair is a signal."
    else:
        more = f", and {len(pairs) - MOST_CURVES} more" if len(pairs) > MOST_CURVES else ""
        yield f"Signals: {'; '.join(pairs[:MOST_CURVES])}{more}."
    for name in ("rule", "multiplicity"):
        if isinstance(found.get(name), str):
            yield f"{found[name].removesuffix('.')}."


def p_value(p: float) -> str:
    """A p-value as cited: two figures, never as 0."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def named(row: Mapping[str, Cell], release: Release) -> str:
    """A row's values of the groupings in words, labels before codes."""
    names = [each.name for each in release.columns if each.name in DIMENSIONS]
    return ", ".join(str(row.get(f"{name}_label", row[name])) for name in names)


TELL: Mapping[str, Callable[[Any, Release], Iterator[str]]] = {
    "curves": curves,
    "logrank": logrank,
    "stratified_logrank": stratified_logrank,
    "gray": gray,
    "comparison": comparison,
    "funnel": funnel,
    "trend": trend,
    "signals": signals,
}
"""The parts of metadata that have findings, with the function that words each."""
