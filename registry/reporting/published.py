"""What a protected answer says was done to it, in words that a clinician reads."""

from registry.disclosure import Plan, Policy
from registry.reporting.question import BY_EXPOSURE, Question
from registry.reporting.trees import first_year
from registry.vocabulary import Denominator, Measure

IN_MONTHS = {Denominator.PUMP_MONTHS, Denominator.CATHETER_MONTHS}
COVERAGE = (
    "Measured coverage of the 95 % limits is 96 to 98 % where eight or more events are expected, "
    "and 84 to 94 % where three or four are: a small count is shown only when chance and noise "
    "made it large enough."
)


def disclosure(question: Question, plan: Plan, policy: Policy) -> dict[str, object]:
    """The numbers and the sentences that go with an answer; from the question alone."""
    told: dict[str, object] = {
        "threshold": policy.threshold,
        "denominator_minimum": policy.denominator_minimum,
        "most_dimensions": policy.most_dimensions,
    }
    if question.measure in BY_EXPOSURE:
        told["exposure_minimum"] = {
            unit.value: policy.exposure[unit].minimum for unit in question.units
        }
    if question.measure is Measure.SURVIVAL:
        told["curve_minimum"] = policy.curve_minimum
    return told | {"in_words": [*_sentences(question, plan, policy)]}


def _sentences(question: Question, plan: Plan, policy: Policy) -> list[str]:
    said = [
        "Every count was changed by a small random whole number, of variance up to "
        f"{policy.most_variance:g}, that belongs to the set of patients or devices behind it: the "
        "same set is changed alike wherever it is counted.",
        f"A changed count under {policy.threshold} is hidden, zeros too, and so is what has fewer "
        f"than {policy.denominator_minimum} patients or devices behind it. Nothing that is hidden "
        "enters another number. The status suppressed means that the count hides the number; where "
        "it is hidden for another reason, the status is hidden and reason says which.",
    ]
    if question.measure in BY_EXPOSURE:
        said.extend(_about_exposure(question, policy))
    if question.measure is Measure.SURVIVAL:
        said.append(
            f"A curve needs {policy.curve_minimum} devices at its start, as changed. Where the "
            "events of an interval are hidden it is joined with the next, and the months between "
            "have no estimate and no number at risk; the curve ends where those at risk are "
            "hidden, and cannot rise. Numbers at risk are rounded as well, to multiples of "
            f"{_roundings(policy)}, before anything is made of them."
        )
    said.append(
        "Totals are changed on their own: they need not equal the sum of their parts, here or "
        "elsewhere."
    )
    if any(len(row.nodes) > 1 for row in plan.rows):
        said.append(
            "Several values are answered as the sum of their cells that are shown; hidden_cells "
            "says how many are left out, and sets no bound to what is in them. A patient with "
            "devices in several cells counts in each."
        )
    if {"year", "period"} & set(question.query.group_by):
        said.append(f"Years before {first_year()} are in totals only.")
    if question.measure is Measure.SIGNALS:
        said.append(
            "Devices are counted, and a pair has numbers where it, its product, its complication "
            "and the total are all shown. The exposure behind the outlier rule was changed as in "
            "rates."
        )
    if question.measure is Measure.FUNNEL:
        said.append(
            "A site whose number is hidden stands in its row without one. A site with few events "
            "is shown only when chance and noise made them five or more, so that a low ratio of a "
            "small site cannot be seen."
        )
    if question.measure is Measure.TREND:
        said.append(
            "Years whose number is hidden are left out of the line: where few events happen it "
            "rests on the years with many. The CUSUM is not published."
        )
    if question.measure in {*BY_EXPOSURE, Measure.PROPORTIONS}:
        said.append(f"The limits allow for chance and perturbation together. {COVERAGE}")
    return said


def _roundings(policy: Policy) -> str:
    return ", ".join(f"{multiple} from {least} on" for least, multiple in policy.at_risk_rounding)


def _about_exposure(question: Question, policy: Policy) -> list[str]:
    said = []
    for unit in question.units:
        rule = policy.exposure[unit]
        noise = round(rule.per_device * policy.most_variance**0.5)
        amount = "month" if unit in IN_MONTHS else unit.value.removesuffix("s")
        rounded = f", rounded to {rule.rounding}" if rule.rounding > 1 else ""
        said.append(
            f"{unit.label} were changed by a random amount with a standard deviation of {noise} "
            f"{amount}s{rounded}, and are hidden under {rule.minimum:,}."
        )
    return said
