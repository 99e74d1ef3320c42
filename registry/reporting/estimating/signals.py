"""Signals of products with a complication: disproportionality and the outlier rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Any

import numpy as np
from scipy.special import chdtrc, ndtri

from registry.disclosure import ShownNode, hidden_as, rate_parts, rate_row
from registry.records import Cell, EventQuery
from registry.reporting.asking.question import EACH, question_of, selected_terms
from registry.reporting.asking.spec import MeasureSpec, Question, Row
from registry.reporting.estimating.cells import hold_to_limit, numbers_of, rate_cells
from registry.reporting.estimating.pairs import background, names_of
from registry.snapshot.counting import carriers, reported
from registry.snapshot.selection import Condition
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Terms
from registry.statistics.results import Disproportionality
from registry.statistics.signals import (
    ENOUGH_DEVICES,
    LARGE_SHARE,
    RATE_RATIO,
    SIGNIFICANT,
    disproportionality,
    false_discovery_rates,
    outlier_rule,
    perturbed_disproportionality,
)
from registry.vocabulary import CellStatus, CountingRule, Drug, HiddenReason

LEAST_PRR = 2.0
LEAST_CHI2 = 4.0
LEAST_REPORTS = 3
RULE = (
    f"A signal: {LEAST_REPORTS} reports or more, chi-squared with Yates' correction "
    f"{LEAST_CHI2:g} or more, PRR {LEAST_PRR:g} or more (Evans 2001; left out where no other "
    "product has the event, so that the PRR is undefined), and the lower limit of the IC above 0 "
    "(Noren 2013)"
)
ENOUGH_SHOWN = 20
ENOUGH_EXPECTED = 10.0
MOST_FALSE = 0.05
NOISE_LEVEL = 0.95
RULE_OF_SHOWN = (
    f"A signal of shown numbers: {ENOUGH_SHOWN} devices or more, or {ENOUGH_EXPECTED:g} or more "
    f"expected; q under {MOST_FALSE:g} (Benjamini and Hochberg 1995, over all pairs that have "
    f"numbers, from chi-squared of {LEAST_CHI2:g} or more); PRR {LEAST_PRR:g} or more by more than "
    f"{100 * NOISE_LEVEL:g} % of the noise (left out where it is undefined); and the lower limit "
    "of the IC above 0"
)
OUTLIER_OF_SHOWN = (
    f"An outlier of shown numbers: as many events, or expected, and a rate over {RATE_RATIO:g} "
    f"times the group's by more than {100 * NOISE_LEVEL:g} % of the noise of both, with a lower "
    "limit above the group's and 10 devices or more"
)
OUTLIER_RULE = (
    f"An outlier (AOANJRR): a rate of first events over {RATE_RATIO:g} times the group's, a "
    f"Poisson probability of so many events at the group's rate under {SIGNIFICANT:g}, and "
    f"{ENOUGH_DEVICES} devices or more, or two events or more in 75 % of them; a product with "
    f"over {100 * LARGE_SHARE:g} % of the devices is left out of the group's rate; where the "
    "complication is the patient's, patients are counted instead of devices"
)
_RATE_LEVEL = 1 - 2 * SIGNIFICANT
_BEYOND_NOISE = float(ndtri(NOISE_LEVEL))
NUMBERS = (
    *("prr", "prr_lower", "prr_upper", "ror", "ror_lower", "ror_upper"),
    *("ic", "ic_lower", "ic_upper", "chi2_yates", "expected"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outlier rule on one product; None without a comparator."""

    devices: int | None = None
    rate_ratio: float | None = None
    p: float | None = None
    outlier: bool | None = None


def signal_rows(
    store: Store, question: Question, *, rates: MeasureSpec
) -> tuple[list[Row], dict[str, Any]]:
    """Every chosen pair with a report, in exact numbers, and their metadata.

    q is over all pairs with a report, chosen or not.

    rates: the measure that the outlier rule compares by. Raises BadQuery where the answer would be
    too long.
    """
    product, level = question.query.group_by
    whole = question.parts[0].selection
    selection = replace(whole, on_events=(*whole.on_events, Condition("in_totals", (True,))))
    each = EACH[question.counting]

    def counted(*names: str) -> dict[Key, int]:
        return numbers_of(reported(store, replace(selection, group_by=names), each=each))

    pairs, products, events = counted(product, level), counted(product), counted(level)
    total = counted().get((), 0)
    is_chosen = _choice(question.query, store.manifest.terms)
    reported_pairs = {key: n for key, n in pairs.items() if n and key[0]}
    hold_to_limit([key for key in reported_pairs if is_chosen(key)], question)
    verdicts = _verdicts(store, question, rates)
    compared = []
    for key, n in reported_pairs.items():
        one, other = products[key[:1]], events[key[1:]]
        found = disproportionality(
            n, one - n, other - n, total - one - other + n, level=question.query.level
        )
        compared.append((key, n, found))
    rates_of_discovery = _false_discovery_rates([found for _key, _n, found in compared])
    rows = [
        Row(
            key,
            _numbers(n, found, verdicts.get(key, Verdict()))
            | {"q": q, "signal": is_signal(n, found)},
            CellStatus.OK,
        )
        for (key, n, found), q in zip(compared, rates_of_discovery, strict=True)
        if is_chosen(key)
    ]
    return rows, {"signals": _about(len(compared), RULE, OUTLIER_RULE)}


@dataclass(frozen=True, slots=True)
class ShownPair:
    """One pair of shown numbers before it is judged among all; found is None where it has none.

    is_asked: whether the pair is a row of the answer.
    """

    row: Row
    found: Disproportionality | None = None
    is_asked: bool = True


def shown_pair(
    key: Key,
    pair: ShownNode,
    margins: Sequence[ShownNode],
    *,
    rate: Sequence[ShownNode],
    group: Sequence[ShownNode],
    level: float,
    is_asked: bool = True,
) -> ShownPair:
    """One pair from shown nodes only; numbers from hidden nodes are missing.

    margins: of the product, of the event, and the total. rate: the nodes of the pair's rate; group:
    those of all products' rate.
    """
    verdict = _shown_verdict(rate, group)
    counts = [node.count for node in margins]
    if pair.count is None or None in counts:
        status, reason = (
            hidden_as([pair]) if pair.count is None else (CellStatus.HIDDEN, HiddenReason.MARGINS)
        )
        numbers = {"n": pair.count, **_of_verdict(verdict), "hidden_cells": 1, "reason": reason}
        return ShownPair(Row(key, numbers, status), is_asked=is_asked)
    product, event, total = (int(count or 0) for count in counts)
    found = perturbed_disproportionality(
        pair.count,
        product,
        event,
        total,
        variances=(
            pair.count_variance,
            margins[0].count_variance,
            margins[1].count_variance,
            margins[2].count_variance,
        ),
        level=level,
    )
    numbers = _numbers(pair.count, found, verdict) | {"hidden_cells": 0}
    return ShownPair(Row(key, numbers, CellStatus.OK), found, is_asked)


def judged(pairs: Sequence[ShownPair]) -> tuple[list[Row], dict[str, Any]]:
    """The rows that are asked for, with their q-values among all pairs, and their metadata."""
    found = [pair.found for pair in pairs if pair.found is not None]
    rates_of_discovery = iter(_false_discovery_rates(found))
    rows = []
    for pair in pairs:
        numbers = pair.row.numbers
        if pair.found is not None:
            q = next(rates_of_discovery)
            verdict = is_shown_signal(int(numbers["n"] or 0), pair.found, q)
            numbers = {**numbers, "q": q, "signal": verdict}
        if pair.is_asked:
            rows.append(replace(pair.row, numbers=numbers))
    return rows, {"signals": _about(len(found), RULE_OF_SHOWN, OUTLIER_OF_SHOWN)}


def _false_discovery_rates(pairs: Sequence[Disproportionality]) -> list[float]:
    """The q-value of each pair, from its chi-squared; a pair that has none is no discovery."""
    chi2 = np.array([pair.chi2_yates or 0.0 for pair in pairs])
    return false_discovery_rates(chdtrc(1, chi2)).tolist()


def _numbers(n: int, found: Disproportionality, verdict: Verdict) -> dict[str, Cell]:
    return {
        "n": n,
        **{name: getattr(found, name) for name in NUMBERS},
        **_of_verdict(verdict),
    }


def _of_verdict(verdict: Verdict) -> dict[str, Cell]:
    return {
        "devices": verdict.devices,
        "rate_ratio": verdict.rate_ratio,
        "p": verdict.p,
        "outlier": verdict.outlier,
    }


def is_signal(n: int, found: Disproportionality) -> bool:
    """Whether a pair meets every condition of RULE."""
    return (
        n >= LEAST_REPORTS
        and (found.chi2_yates or 0.0) >= LEAST_CHI2
        and (found.prr is None or found.prr >= LEAST_PRR)
        and (found.ic_lower or 0.0) > 0
    )


def is_shown_signal(n: int, found: Disproportionality, q: float) -> bool:
    """Whether a pair of shown numbers meets every condition of RULE_OF_SHOWN.

    It is a signal by these numbers and, for it to be one in exact numbers as well, more: a small
    count is shown where noise made it large, and a ratio near 2 is beyond it by noise as often as
    not.
    """
    return (
        is_signal(n, found)
        and (n >= ENOUGH_SHOWN or (found.expected or 0.0) >= ENOUGH_EXPECTED)
        and q < MOST_FALSE
        and (found.prr is None or log(found.prr / LEAST_PRR) >= _BEYOND_NOISE * found.prr_noise)
    )


def _about(compared: int, rule: str, outlier_rule: str) -> dict[str, Any]:
    return {
        "compared": compared,
        "rule": rule,
        "outlier_rule": outlier_rule,
        "multiplicity": (
            f"{compared} pairs were compared, and no limit is adjusted for their number: a pair "
            "whose limits look striking among many may be chance. q allows for it: among pairs "
            "with so small a q it is the share without any association"
        ),
    }


# Exact rates ------------------------------------------------------------------------------------


def _verdicts(store: Store, question: Question, spec: MeasureSpec) -> dict[Key, Verdict]:
    """The outlier rule on every product, complication by complication; first events count."""
    product, _level = question.query.group_by
    query = replace(background(question.query), counting=CountingRule.FIRST_EVENT, unit=None)
    rates = question_of(query, spec, manifest=store.manifest)
    found: dict[Key, Verdict] = {}
    for part in rates.parts:
        owner = "patient_no" if part.per_patient else "device_no"
        whole = replace(part.selection, group_by=(product,))
        devices = numbers_of(carriers(store, whole, clock=part.clock, each=owner))
        by_code: dict[Cell, list[tuple[Key, Mapping[str, Cell]]]] = {}
        for cell in rate_cells(store, replace(rates, parts=(part,)), per=1):
            if cell.status is not CellStatus.NO_DENOMINATOR:
                by_code.setdefault(cell.key[1], []).append((cell.key, cell.numbers))
        for members in by_code.values():
            found |= _judged(members, devices)
    return found


def _judged(
    members: Sequence[tuple[Key, Mapping[str, Cell]]], devices: Mapping[Key, int]
) -> dict[Key, Verdict]:
    events = [int(numbers["events"] or 0) for _key, numbers in members]
    implanted = [
        max(devices.get(key[:1], 0), count)
        for (key, _numbers), count in zip(members, events, strict=True)
    ]
    judged = outlier_rule(
        events=events,
        exposure=[float(numbers["exposure"] or 0) for _key, numbers in members],
        devices=implanted,
        revised=events,
    )
    return {
        key: Verdict(number, verdict.rate_ratio, verdict.p, verdict.flagged)
        for (key, _numbers), number, verdict in zip(members, implanted, judged, strict=True)
    }


def _choice(query: EventQuery, terms: Terms) -> Callable[[Key], bool]:
    """Whether the filters choose this pair as a row."""
    product, level = query.group_by
    wanted = [_spelled(product, name, query) for name in names_of(product) if query.values(name)]
    codes = {
        term.code if level == "complication" else term.category
        for term in selected_terms(query, terms)
        if term.in_totals
    }

    def is_chosen(key: Key) -> bool:
        return all(key[0] in products for products in wanted) and key[1] in codes

    return is_chosen


def _spelled(product: str, name: str, query: EventQuery) -> set[str]:
    """The products that pass the filters on them."""
    values = set(query.values(name))
    if name == product:
        return values
    if product == "drug":
        return {drug.value for drug in Drug if str(drug.drug_class) in values}
    return {str(drug.drug_class) for drug in Drug if drug.value in values}


# Shown rates ------------------------------------------------------------------------------------


def _shown_verdict(rate: Sequence[ShownNode], group: Sequence[ShownNode]) -> Verdict:
    """The outlier rule from shown numbers: the ratio's lower limit, noise and all, above 1.

    The limit is that of a one-sided test at 5 %, as the Poisson probability is: that of the
    product's rate, widened on the log scale by the noise of the group's (delta method). The group
    is all products, without this one where it is large. The verdict is that of OUTLIER_OF_SHOWN.
    Undefined where noise alone can change the group's rate by the factor of the rule.
    """
    devices = _population(rate)
    everybody = _population(group)
    own, whole = rate_parts(rate), rate_parts(group)
    if own is None or whole is None or devices is None or everybody is None:
        return Verdict(devices)
    large = int(devices > LARGE_SHARE * everybody)
    events = whole.events - large * own.events
    exposure = whole.exposure - large * own.exposure
    if events <= 0 or exposure <= 0:
        return Verdict(devices)
    of_group = (whole.count_variance + large * own.count_variance) / events**2
    of_group += (whole.exposure_sd**2 + large * own.exposure_sd**2) / exposure**2
    if of_group > log(RATE_RATIO) ** 2:
        return Verdict(devices)
    # A large product's noise is in its own rate and, with the opposite sign, in the rest.
    in_both = own.count_variance / (own.events * events)
    in_both += own.exposure_sd**2 / (own.exposure * exposure)
    ratio = own.events / own.exposure / (events / exposure)
    of_noise = own.count_variance / own.events**2 + own.exposure_sd**2 / own.exposure**2
    of_noise += of_group + 2 * large * in_both
    stands_out = log(ratio / RATE_RATIO) > _BEYOND_NOISE * sqrt(of_noise)
    enough = (
        own.events >= ENOUGH_SHOWN or events / exposure * own.exposure >= ENOUGH_EXPECTED
    ) and devices >= ENOUGH_DEVICES
    lower = rate_row(rate, level=_RATE_LEVEL).ci_lower
    above = (
        lower is not None
        and lower > 0
        and log(ratio)
        > sqrt(
            log(own.events / own.exposure / lower) ** 2
            + ndtri(1 - SIGNIFICANT) ** 2 * (of_group + 2 * large * in_both)
        )
    )
    return Verdict(devices, ratio, None, stands_out and above and enough)


def _population(nodes: Sequence[ShownNode]) -> int | None:
    shown = [node.population for node in nodes if node.population is not None]
    return sum(shown) if shown else None
