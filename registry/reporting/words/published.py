"""Describes the protection of an answer, in words for clinicians."""

from registry.disclosure import Plan, Policy
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import Divides, ProtectedForm, Question
from registry.reporting.asking.years import first_year
from registry.vocabulary import Denominator

IN_MONTHS = {Denominator.PUMP_MONTHS, Denominator.CATHETER_MONTHS}


EARLY = (
    "This release was published early, sooner after the one before or with less changed than the "
    "registry asks of itself: comparing the two says more about those who are new."
)


def early(frozen: Frozen) -> list[str]:
    """Say that a release came before its time."""
    return [EARLY] if frozen.is_early else []


def disclosure(
    question: Question, form: ProtectedForm, plan: Plan, policy: Policy
) -> dict[str, object]:
    """The thresholds and sentences on an answer's protection; from the question alone."""
    return {
        "threshold": policy.threshold,
        "denominator_minimum": policy.denominator_minimum,
        "fewest_hands": policy.fewest_hands,
        **form.minimums(question, policy),
        "in_words": [*_sentences(question, form, plan, policy)],
    }


def _sentences(question: Question, form: ProtectedForm, plan: Plan, policy: Policy) -> list[str]:
    said = [
        "Every count was changed by a small random whole number, of variance up to "
        f"{policy.most_variance:g}, that depends on the set of patients or devices behind it: the "
        "same set is changed alike wherever it is counted, and in each release by a part of its "
        "own.",
        f"A changed count under {policy.threshold} is hidden, zeros too, and so is one that would "
        "be without the sites of the two groups of people that add most to it, unless the question "
        "names a site; and so is what has fewer than "
        f"{policy.denominator_minimum} patients or devices behind it. Nothing that is hidden "
        "enters another number. The status suppressed means that the count hides the number; where "
        "it is hidden for another reason, the status is hidden and reason says which.",
        "A small shown count runs high on average, since it is shown where chance and the change "
        "made it large: of twelve sites alike by 3 where 15 were expected, by less than 1 from 25 "
        "on; of fewer sites by more.",
    ]
    said.extend(form.changed(question, policy))
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
    said.extend(form.says)
    if question.spec.divides in {Divides.EXPOSURE, Divides.CARRIERS}:
        said.append(
            "The limits allow for chance and perturbation together, not for what is hidden: of "
            "shown cells that expected 18 events or more of twelve sites alike they hold the truth "
            "in 95 of 100 or more, of those that expected 10 in 84. They are of the registry's own "
            "sites: that other sites would differ is not in them."
        )
    return said


def about_curves(question: Question, policy: Policy) -> list[str]:
    """Say how the numbers of a curve were changed, and when it is hidden."""
    roundings = ", ".join(
        f"{multiple} from {least} on" for least, multiple in policy.at_risk_rounding
    )
    return [
        f"A curve needs {policy.curve_minimum} devices at its start, as changed. Where the numbers "
        "of an interval are hidden it is joined with the next, and the months between have no "
        "estimate and no number at risk; the curve ends where those at risk are hidden. Numbers at "
        f"risk are rounded as well, to multiples of {roundings}, before anything is made of them."
    ]


def exposure_minimums(question: Question, policy: Policy) -> dict[str, object]:
    """The sentence on rates hidden by their denominator."""
    least = {unit.value: policy.exposure[unit].minimum for unit in question.units}
    return {"exposure_minimum": least}


def about_exposure(question: Question, policy: Policy) -> list[str]:
    """Sentences on how the denominators of a rate were changed."""
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
