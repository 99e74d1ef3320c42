"""What an answer says of itself, in words that a clinician reads."""

from registry.records import DIMENSIONS, EventQuery
from registry.reporting.curve_questions import CURVES
from registry.reporting.curve_words import curve_denominator, curve_method, curve_warnings
from registry.reporting.question import BY_EXPOSURE, Question
from registry.snapshot.terms import Terms
from registry.vocabulary import CODELISTS, NOT_RECORDED, CountingRule, Denominator, Measure, Profile

COUNTED = {
    CountingRule.EVENTS: "Every event.",
    CountingRule.EPISODES: (
        "Episodes: events that one another caused count once in each row in which any of them "
        "falls, so rows need not add up."
    ),
    CountingRule.DEVICES: "Devices with at least one event.",
    CountingRule.PATIENTS: "Patients with at least one event.",
}
FIRST_EVENTS = "Each device's first event of the row; its time ends there."
FIRST_OF_PATIENT = (
    "Each patient's first event of the row, since drug effects, withdrawal and death are the "
    "patient's; his or her time ends there."
)
FIRST_MIXED = (
    "Each device's first event of the row, or the patient's first in rows of drug effects, "
    "withdrawal or death; time ends there."
)
METHODS = {
    Measure.COUNTS: "Counted.",
    Measure.PROPORTIONS: "Wilson's interval (Wilson 1927, Newcombe 1998).",
    Measure.COVERAGE: "Counted.",
    Measure.FUNNEL: (
        "Funnel of observed / expected (Spiegelhalter 2005): exact Poisson limits around 1, "
        "widened by additive random effects where ten sites or more differ beyond chance; a "
        "site's own interval is that of its rate."
    ),
    Measure.SIGNALS: (
        "PRR (Evans 2001), ROR (van Puijenbroek 2002) and IC (Noren 2013) of the two-by-two table "
        "of reports; chi-squared with Yates' correction; the AOANJRR's outlier rule on the rate of "
        "first events."
    ),
    Measure.CASCADES: "Counted; the interval is the median of those known.",
    Measure.TREND: (
        "Log-linear quasi-Poisson regression of the years' events on the calendar year, with "
        "Student's limits (McCullagh and Nelder 1989); a year's rate has the interval of a rate."
    ),
}
GARWOOD = "Exact Poisson interval (Garwood 1936)."
QUASI_POISSON = (
    "Quasi-Poisson interval: events cluster within patients; the column dispersion says how much."
)


def title(question: Question, terms: Terms) -> str:
    """Name the answer: what, of which complications, by what, and of which selection."""
    query = question.query
    names = _names(query, terms)
    of = "Freedom from" if question.measure is Measure.SURVIVAL else f"{question.measure.label} of"
    words = [of, names or "all complications"]
    if query.group_by:
        words.append("by " + ", ".join(DIMENSIONS[name].title.lower() for name in query.group_by))
    return "; ".join([" ".join(words), *_selection(query, terms)])


def _selection(query: EventQuery, terms: Terms) -> list[str]:
    """The filters beside those of complications: each with its values, or how many they are."""
    said = []
    for name, values in query.where:
        if name in {"complication", "category"}:
            continue
        labels = [
            "not recorded" if value == NOT_RECORDED else label_of(name, value, terms)
            for value in values
        ]
        listed = " or ".join(labels) if len(labels) <= 3 else f"{len(labels)} values"
        said.append(f"{DIMENSIONS[name].title.lower()}: {listed}")
    if query.windows and "window" not in query.group_by:
        windows = " or ".join(str(window) for window in query.windows)
        said.append(f"{DIMENSIONS['window'].title.lower()}: {windows}")
    if query.years is not None:
        said.append(_years(*query.years))
    return said


def _years(first: int | None, last: int | None) -> str:
    if first == last:
        return f"in {first}"
    ends = ("from", first), ("to", last)
    return " ".join(f"{word} {year}" for word, year in ends if year is not None)


def _names(query: EventQuery, terms: Terms) -> str:
    codes = set(query.values("complication"))
    groups = set(query.values("category"))
    named = [term.name for term in terms.complications if term.code in codes]
    named = named or [group.name for group in terms.categories if group.code in groups]
    return ", ".join(named) if len(named) <= 3 else f"{len(named)} complications"


def counted(question: Question) -> str:
    """Say what one is."""
    if question.counting is not CountingRule.FIRST_EVENT:
        return COUNTED[question.counting]
    kinds = {part.per_patient for part in question.parts}
    if kinds == {True}:
        return FIRST_OF_PATIENT
    return FIRST_MIXED if True in kinds else FIRST_EVENTS


ADJUSTED = (
    "Each site is compared with what its own mix lets expect: two sites' ratios are not comparable "
    "with one another. Declared exposure tells no mix and is left out."
)
PERTURBED_RATE = (
    "Garwood's interval (1936) of the events that the perturbed count is worth, with the noise of "
    "the device time added on the log scale."
)
PERTURBED_PROPORTION = "Wilson's interval (1927) with the variance of the perturbation added."
PERTURBED_COUNT = "Counted and perturbed."


PERTURBED = {
    Measure.RATES: PERTURBED_RATE,
    Measure.PROPORTIONS: PERTURBED_PROPORTION,
    Measure.FUNNEL: (
        "Funnel of observed / expected (Spiegelhalter 2005) from perturbed numbers: the limits "
        "around 1 carry the variance of the perturbation, and additive random effects where ten "
        "sites or more differ beyond both."
    ),
    Measure.SIGNALS: (
        "PRR (Evans 2001), ROR (van Puijenbroek 2002) and IC (Noren 2013) of perturbed numbers of "
        "devices, their variances increased by those of the perturbations (delta method), and "
        "chi-squared reduced accordingly; the AOANJRR's outlier rule on perturbed rates, by the "
        "lower limit of their ratio, with the noise of both, in place of the Poisson probability."
    ),
    Measure.TREND: (
        "Log-linear quasi-Poisson regression on the calendar year of the years that are shown, "
        "the variance of the perturbation added to that of each year's count (sandwich); a year's "
        "rate has the interval of a perturbed rate."
    ),
}


def method(question: Question, *, profile: Profile) -> str:
    """Say how the interval was found."""
    if question.measure in CURVES:
        return curve_method(question, profile=profile)
    if profile is Profile.PROTECTED:
        return PERTURBED.get(question.measure, PERTURBED_COUNT)
    if question.measure is Measure.RATES:
        return GARWOOD if question.counting is CountingRule.FIRST_EVENT else QUASI_POISSON
    return METHODS[question.measure]


def denominator(question: Question) -> str | None:
    """Say what the rows divide by; where they differ, the column unit says it for each."""
    if question.measure in CURVES:
        return curve_denominator(question)
    if question.measure in BY_EXPOSURE:
        if len(question.units) == 1:
            return question.units[0].value
        return "each row's own: see the column unit"
    if question.measure is Measure.PROPORTIONS:
        carriers = "devices" if question.counting is CountingRule.DEVICES else "patients"
        clocks = {part.clock for part in question.parts}
        if len(clocks) > 1:
            return f"{carriers} with the component that each row's complications concern"
        component = clocks.pop() or "pump or catheter"
        return f"{carriers} with a {component} of the selection"
    return None


def warnings(question: Question, *, profile: Profile) -> list[str]:
    """Say what a reader has to know before using the numbers."""
    query, measure = question.query, question.measure
    if measure in CURVES:
        return curve_warnings(question, profile=profile)
    said = []
    over_time = measure in BY_EXPOSURE or measure is Measure.PROPORTIONS
    if over_time and any(part.selection.splits_years for part in question.parts):
        said.append(
            "The split by calendar year is approximate: an implant counts as made in the middle "
            "of its year."
        )
    multiple = [
        DIMENSIONS[name].title.lower()
        for name in query.group_by
        if DIMENSIONS[name].codelist in {"seriousness", "intervention"}
    ]
    if multiple:
        said.append(f"An event stands in the row of each {' and '.join(multiple)} it has.")
    if over_time and any(DIMENSIONS[name].side == "event" for name in query.group_by):
        said.append("Rows by a property of the event share one denominator.")
    if measure in BY_EXPOSURE:
        said.extend(_about_rates(question))
        if profile is Profile.EXACT:
            said.append("Where there is no denominator, events are all that were reported.")
    if measure is Measure.CASCADES:
        said.extend(ABOUT_CASCADES)
    if measure is Measure.SIGNALS:
        said.extend(_about_signals(query))
    if measure is Measure.FUNNEL:
        said.append(
            "Crude: sites differ in whom they treat." if not query.standardise else ADJUSTED
        )
        if query.values("site"):
            said.append(
                "The rate that sites are compared with is that of the sites asked for alone, so "
                "that a single site's ratio is 1: leave site out to compare it with all."
            )
        if question.counting is not CountingRule.FIRST_EVENT:
            said.append(
                "Events cluster within patients, which the limits allow for only where "
                "over-dispersion was found; first events need no such allowance."
            )
    if measure is Measure.TREND:
        said.append("The year that the data end in is left out until it is over.")
        said.append("Events without a year are left out.")
    if question.counting is CountingRule.PATIENTS and measure is Measure.COUNTS:
        said.append("Events reported without an implant belong to no known patient.")
    if question.counting is CountingRule.DEVICES and measure is Measure.COUNTS:
        said.append("Events reported without an implant belong to no known device.")
    if measure is Measure.PROPORTIONS:
        said.append("Follow-up differs between patients: a proportion is not a risk over time.")
    return said


ABOUT_CASCADES = (
    "Filters choose the causes; every event that names one of them as its cause is an effect, "
    "whatever else it is. Both are accepted and actual unless the question says otherwise.",
    "A cause is what the site named: events that merely follow one another are no pair.",
    "The interval is in whole months on the clock of the device that both events name; where they "
    "name two, or no month, it is unknown. Pairs whose effect is told before its cause are counted "
    "apart, since one of the two months is wrong.",
    "The share is of the cause's events that have at least one such effect; one event can have "
    "several.",
)


def _about_signals(query: EventQuery) -> list[str]:
    product = DIMENSIONS[query.group_by[0]].title.lower()
    return [
        f"Filters on {product}, complication and category choose rows; each pair is compared with "
        "all reports of the selection.",
        f"What has no {product} recorded has no row and is among the others.",
        "Consequences and the expected end of service are left out.",
        "A pair reported out of proportion need not be frequent, and reporting differs between "
        "products: a signal is a reason to look, not a finding.",
    ]


def _about_rates(question: Question) -> list[str]:
    said = ["A rate from fewer than 20 events is marked unstable."]
    units = set(question.units)
    first = question.counting is CountingRule.FIRST_EVENT
    if Denominator.PROCEDURES in units:
        said.append("Per procedure, only events within 90 days of one count.")
    if units & {Denominator.PROCEDURES, Denominator.REFILLS}:
        said.append(
            "Procedures and refills are totals without dates: by year or months since implant "
            "there is no denominator" + (", and a first event does not end them." if first else ".")
        )
    return said


def label_of(name: str, value: object, terms: Terms) -> str:
    """The words for one value of a dimension; codes without words stand for themselves."""
    if name == "complication":
        return {term.code: term.name for term in terms.complications}.get(str(value), str(value))
    if name == "category":
        return {group.code: group.name for group in terms.categories}.get(str(value), str(value))
    listed = CODELISTS.get(
        "yes-no-unknown" if name == "serious" else DIMENSIONS[name].codelist or ""
    )
    if listed is None:
        return str(value)
    return next((code.label for code in listed if str(code.value) == str(value)), str(value))
