"""Rules of data quality: what a reviewer would ask of a report, each a small declared object.

A rule never refuses. It raises a query on a report that counts, and the query closes by itself
once the rule is silent. Rules read rows and what stands beside them; they ask no database.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.intake.deaths import DEATHS
from registry.models import Event, Implant
from registry.vocabulary import (
    Actuality,
    Drug,
    DrugClass,
    ExitStatus,
    Intervention,
    Outcome,
    QualityRule,
    QueryAsk,
    RootCause,
    Seriousness,
    Severity,
    State,
    YesNoUnknown,
)

_EXPLANTS = frozenset(
    {
        Intervention.SYSTEM_EXPLANT_NO_REPLACEMENT,
        Intervention.SYSTEM_EXPLANT_DELAYED_REIMPLANT,
    }
)
_EXPLANT_EVENTS = frozenset({"explant-unplanned", "revision-surgery"})
_OVERDOSES = frozenset({"drug-overdose", "programming-error-overdose", "pump-over-infusion"})
_CAUSES_OF_OVERDOSE = frozenset(
    {
        RootCause.PROGRAMMING_ERROR,
        RootCause.REFILL_TECHNIQUE,
        RootCause.PRESCRIBING_ERROR,
        RootCause.DRUG_FORMULATION_OR_COMPOUNDING,
        RootCause.COMMUNICATION_OR_HANDOVER,
        RootCause.DEVICE_DESIGN_OR_MANUFACTURE,
        RootCause.DEVICE_WEAR_OR_END_OF_LIFE,
        RootCause.DEVICE_INTERACTION_EXTERNAL_FIELD,
    }
)
_WITHDRAWALS = frozenset({"baclofen-withdrawal", "opioid-withdrawal", "clonidine-withdrawal"})
_MRI_RELATED = frozenset({"pump-mri-stall", "pump-mri-valve-discharge"})
_NOT_COUNTED = frozenset({State.REJECTED, State.WITHDRAWN, State.DUPLICATE})
_MONTHS_TO_WITHDRAWAL = 1
"""Withdrawal follows a loss of drug within days; months are whole, so that one is no doubt."""


@dataclass(frozen=True, slots=True)
class EventCase:
    """An event and what stands beside it.

    implant: the one that it names. implants, others: of the same patient, without the event
    itself; events that count only. consequences: those that name it as their cause. declared: the
    years for which its site declares device time of the complication's component. implants_from:
    the site's word, from which year on implants of the component count instead.
    """

    event: Event
    implant: Implant | None = None
    cause: Event | None = None
    consequences: Sequence[Event] = ()
    others: Sequence[Event] = ()
    implants: Sequence[Implant] = ()
    declared: frozenset[int] = frozenset()
    implants_from: int | None = None

    @property
    def drugs(self) -> frozenset[Drug]:
        """The drugs in the reservoir, as far as they are recorded."""
        main = self.implant.drug if self.implant else self.event.drug
        also: Any = (self.implant.adjuncts if self.implant else None) or ()
        return frozenset(Drug.of(each) for each in (main, *also) if each)


@dataclass(frozen=True, slots=True)
class ImplantCase:
    """An implant and the counted events of its patient."""

    implant: Implant
    events: Sequence[Event] = field(default=())


@dataclass(frozen=True, slots=True)
class EventRule:
    """One rule of events: the field and what is asked about it, and when it is asked."""

    code: QualityRule
    column: str
    ask: QueryAsk
    raises: Callable[[EventCase], bool]


@dataclass(frozen=True, slots=True)
class ImplantRule:
    """One rule of implants, as of events."""

    code: QualityRule
    column: str
    ask: QueryAsk
    raises: Callable[[ImplantCase], bool]


def _infection_without_organism(case: EventCase) -> bool:
    return case.event.complication.category_id == "infection" and not case.event.organism


def _explant_without_consequence(case: EventCase) -> bool:
    done: Any = case.event.interventions or ()
    explanted = bool(_EXPLANTS & set(done))
    itself = case.event.complication_id in _EXPLANT_EVENTS
    led_to = {each.complication_id for each in case.consequences}
    return explanted and not itself and not led_to & _EXPLANT_EVENTS


def _overdose_without_cause(case: EventCase) -> bool:
    is_overdose = case.event.complication_id in _OVERDOSES
    return is_overdose and case.event.root_cause not in _CAUSES_OF_OVERDOSE


def _withdrawal_of_other_drug(case: EventCase) -> bool:
    drugs = case.drugs
    given = {
        "baclofen-withdrawal": Drug.BACLOFEN in drugs,
        "opioid-withdrawal": _has_opioid(drugs),
        "clonidine-withdrawal": Drug.CLONIDINE in drugs,
    }
    return bool(drugs) and not given.get(case.event.complication_id, True)


def _granuloma_without_opioid(case: EventCase) -> bool:
    return case.event.complication_id == "granuloma" and not _has_opioid(case.drugs)


def _has_opioid(drugs: frozenset[Drug]) -> bool:
    return any(drug.drug_class is DrugClass.OPIOID for drug in drugs)


def _fatal_without_death_exit(case: EventCase) -> bool:
    fatal = case.event.outcome == Outcome.FATAL
    ended = any(each.exit_status in DEATHS for each in case.implants)
    return fatal and bool(case.implants) and not ended


def _withdrawal_long_after_cause(case: EventCase) -> bool:
    event, cause = case.event, case.cause
    if event.complication_id not in _WITHDRAWALS or cause is None:
        return False
    then, now = cause.months_since_implant, event.months_since_implant
    if event.implant_id == cause.implant_id and then is not None and now is not None:
        return now - then > _MONTHS_TO_WITHDRAWAL
    return None not in (event.year, cause.year) and event.year - cause.year > 1  # type: ignore[operator]


def _same_within_a_month(case: EventCase) -> bool:
    event = case.event
    return any(
        other.complication_id == event.complication_id
        and other.implant_id == event.implant_id
        and other.months_since_implant is not None
        and event.months_since_implant is not None
        and abs(other.months_since_implant - event.months_since_implant) <= 1
        for other in case.others
    )


def _grade_4_not_life_threatening(case: EventCase) -> bool:
    grade_4 = case.event.severity == Severity.LIFE_THREATENING
    return grade_4 and Seriousness.LIFE_THREATENING not in (case.event.seriousness or ())


def _hospitalised_grade_1(case: EventCase) -> bool:
    in_hospital = Seriousness.HOSPITALISATION in (case.event.seriousness or ())
    return in_hospital and case.event.severity == Severity.MILD


def _no_device_named(case: EventCase) -> bool:
    event = case.event
    return not (event.implant_id or event.pump_model or event.catheter_model)


def _mri_stall_without_mri(case: EventCase) -> bool:
    related = case.event.complication_id in _MRI_RELATED
    return related and case.event.mri_24h != YesNoUnknown.YES


def _severity_missing(case: EventCase) -> bool:
    return case.event.severity is None and case.event.actuality != Actuality.NEAR_MISS


def _year_not_declared(case: EventCase) -> bool:
    event = case.event
    if not case.declared or event.implant_id is not None or event.year is None:
        return False
    counts_by_implants = case.implants_from is not None and event.year >= case.implants_from
    return event.year not in case.declared and not counts_by_implants


EVENT_RULES: tuple[EventRule, ...] = (
    EventRule(
        QualityRule.EXPLANT_WITHOUT_CONSEQUENCE,
        "interventions",
        QueryAsk.NOT_LINKED,
        _explant_without_consequence,
    ),
    EventRule(
        QualityRule.OVERDOSE_WITHOUT_CAUSE,
        "root_cause",
        QueryAsk.NOT_SPECIFIC,
        _overdose_without_cause,
    ),
    EventRule(
        QualityRule.WITHDRAWAL_OF_OTHER_DRUG,
        "complication",
        QueryAsk.CONTRADICTS,
        _withdrawal_of_other_drug,
    ),
    EventRule(
        QualityRule.GRANULOMA_WITHOUT_OPIOID,
        "drug",
        QueryAsk.IMPLAUSIBLE,
        _granuloma_without_opioid,
    ),
    EventRule(
        QualityRule.SERIOUS_WITHOUT_INTERVENTION,
        "interventions",
        QueryAsk.MISSING,
        lambda case: bool(case.event.is_serious) and case.event.interventions is None,
    ),
    EventRule(
        QualityRule.SERIOUS_WITHOUT_OUTCOME,
        "outcome",
        QueryAsk.MISSING,
        lambda case: bool(case.event.is_serious) and not case.event.outcome,
    ),
    EventRule(
        QualityRule.FATAL_WITHOUT_DEATH_EXIT,
        "outcome",
        QueryAsk.CONTRADICTS,
        _fatal_without_death_exit,
    ),
    EventRule(
        QualityRule.GRADE_4_NOT_LIFE_THREATENING,
        "seriousness",
        QueryAsk.CONTRADICTS,
        _grade_4_not_life_threatening,
    ),
    EventRule(
        QualityRule.HOSPITALISED_GRADE_1,
        "severity",
        QueryAsk.CONTRADICTS,
        _hospitalised_grade_1,
    ),
    EventRule(
        QualityRule.INFECTION_WITHOUT_ORGANISM,
        "organism",
        QueryAsk.MISSING,
        _infection_without_organism,
    ),
    EventRule(
        QualityRule.WITHDRAWAL_LONG_AFTER_CAUSE,
        "caused_by",
        QueryAsk.IMPLAUSIBLE,
        _withdrawal_long_after_cause,
    ),
    EventRule(
        QualityRule.SAME_WITHIN_A_MONTH,
        "months_since_implant",
        QueryAsk.IMPLAUSIBLE,
        _same_within_a_month,
    ),
    EventRule(
        QualityRule.CAUSE_NOT_HANDED_IN,
        "caused_by",
        QueryAsk.NOT_LINKED,
        lambda case: case.cause is not None and case.cause.state == State.DRAFT,
    ),
    EventRule(
        QualityRule.CAUSE_NOT_COUNTED,
        "caused_by",
        QueryAsk.CONTRADICTS,
        lambda case: case.cause is not None and case.cause.state in _NOT_COUNTED,
    ),
    EventRule(
        QualityRule.MRI_STALL_WITHOUT_MRI,
        "mri_24h",
        QueryAsk.CONTRADICTS,
        _mri_stall_without_mri,
    ),
    EventRule(
        QualityRule.EXPOSURE_YEAR_MISSING,
        "year",
        QueryAsk.NOT_LINKED,
        _year_not_declared,
    ),
    EventRule(QualityRule.SEVERITY_MISSING, "severity", QueryAsk.MISSING, _severity_missing),
    EventRule(QualityRule.NO_DEVICE_NAMED, "implant", QueryAsk.MISSING, _no_device_named),
)
"""Every rule of events, in the order in which a reviewer reads a report."""


def _end_without_event(case: ImplantCase) -> bool:
    status = case.implant.exit_status
    expects = bool(status) and ExitStatus.of(status).expects_event
    return expects and not any(each.implant_id == case.implant.pk for each in case.events)


def _death_exit_without_event(case: ImplantCase) -> bool:
    related = case.implant.exit_status == ExitStatus.DEATH_RELATED
    return related and not any(each.outcome == Outcome.FATAL for each in case.events)


IMPLANT_RULES: tuple[ImplantRule, ...] = (
    ImplantRule(
        QualityRule.END_WITHOUT_EVENT,
        "exit_status",
        QueryAsk.NOT_LINKED,
        _end_without_event,
    ),
    ImplantRule(
        QualityRule.DEATH_EXIT_WITHOUT_EVENT,
        "exit_status",
        QueryAsk.NOT_LINKED,
        _death_exit_without_event,
    ),
)
"""Every rule of implants."""
