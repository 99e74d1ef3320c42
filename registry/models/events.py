"""Adverse events, as sites report them and reviewers judge them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from django.db import models
from django.db.models import Q

from registry.models.access import Site, SiteRowsQuerySet
from registry.models.audit import SealedRecords
from registry.models.catalogue import Complication
from registry.models.event_rules import CRITERIA, event_constraints
from registry.models.exposure import Implant, Patient
from registry.models.fields import CodeSetField, GradeField
from registry.models.indexes import KeyIndex
from registry.models.rules import code_field
from registry.vocabulary import (
    Actuality,
    AgeBand,
    CatheterModel,
    DaysSinceProcedure,
    DaysSinceRefill,
    Detection,
    Drug,
    Indication,
    Intervention,
    Organism,
    Outcome,
    PumpModel,
    Relatedness,
    RootCause,
    Seriousness,
    Severity,
    Sex,
    State,
    VolumeDiscrepancy,
    WithdrawalReason,
    YesNoUnknown,
)


class EventQuerySet(SiteRowsQuerySet):
    """Events, read as parts of a sentence."""

    def accepted(self) -> EventQuerySet:
        """Only those that statistics count."""
        return self.filter(state=State.ACCEPTED)

    def actual(self) -> EventQuerySet:
        """Only those that reached a patient; not recorded counts as actual."""
        return self.exclude(actuality=Actuality.NEAR_MISS)

    def serious(self) -> EventQuerySet:
        """Only those that meet a criterion of seriousness."""
        met = Q()
        for field in CRITERIA.values():
            met |= Q(**{field: True})
        return self.filter(met)


class Event(models.Model):
    """One adverse event of one intrathecal system, as a site reported it and a reviewer judged it.

    An event names the implant it happened to, or else has model, drug, indication, age band and sex
    as reported. `patient` is the implant's, copied here so that a constraint can allow one death
    per patient.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="events", db_index=False)
    source_id = models.CharField(
        max_length=40, blank=True, default="", help_text="The site's own random key."
    )
    implant = models.ForeignKey(
        Implant, on_delete=models.PROTECT, null=True, blank=True, related_name="events"
    )
    patient = models.ForeignKey(
        Patient,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="events",
    )
    complication = models.ForeignKey(
        Complication,
        on_delete=models.PROTECT,
        related_name="events",
        db_index=False,
        help_text="As adjudicated.",
    )
    reported_complication = models.ForeignKey(
        Complication,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
        help_text="As reported.",
    )
    round_number = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The last follow-up round that its site had closed when it was reported.",
    )
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    month = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Only where the registry keeps months."
    )
    months_since_implant = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Whole months."
    )
    severity = GradeField(
        null=True,
        blank=True,
        choices=Severity.choices,
        help_text="Worst grade reached, CTCAE 1 to 5.",
    )
    serious_death = models.BooleanField("death", default=False)
    serious_life_threatening = models.BooleanField("life-threatening", default=False)
    serious_hospitalisation = models.BooleanField("hospitalisation", default=False)
    serious_permanent_impairment = models.BooleanField("permanent impairment", default=False)
    serious_intervention_to_prevent = models.BooleanField("intervention to prevent", default=False)
    serious_chronic_disease = models.BooleanField("chronic disease", default=False)
    serious_fetal_congenital = models.BooleanField("fetal or congenital", default=False)
    serious_medically_important = models.BooleanField("medically important", default=False)
    serious_none = models.BooleanField(
        "none of these: not serious", default=False, help_text="Nothing ticked is not recorded."
    )
    relatedness_device = code_field(Relatedness, verbose_name="related to the device")
    relatedness_procedure = code_field(Relatedness, verbose_name="related to the procedure")
    relatedness_drug = code_field(Relatedness, verbose_name="related to the drug")
    relatedness_programming = code_field(Relatedness, verbose_name="related to programming")
    relatedness_disease = code_field(Relatedness, verbose_name="related to the disease")
    outcome = code_field(Outcome)
    interventions = CodeSetField(codes=Intervention, verbose_name="what was done")
    root_cause = code_field(RootCause)
    detection = code_field(
        Detection, help_text="How it was found.", verbose_name="how it was found"
    )
    days_since_procedure = code_field(
        DaysSinceProcedure, verbose_name="days since the last procedure"
    )
    days_since_refill = code_field(DaysSinceRefill, verbose_name="days since the last refill")
    mri_24h = code_field(YesNoUnknown, verbose_name="MRI within 24 hours before")
    alarm = code_field(YesNoUnknown, verbose_name="pump alarm")
    volume_discrepancy = code_field(VolumeDiscrepancy, verbose_name="refill volume")
    organism = code_field(Organism)
    actuality = code_field(Actuality)
    caused_by = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="consequences",
        help_text="An earlier event of the same patient.",
    )
    duplicate_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="duplicates",
        help_text="The report of the same site that holds this event already.",
    )
    pump_model = code_field(PumpModel, help_text="Only without an implant.")
    catheter_model = code_field(CatheterModel, help_text="Only without an implant.")
    drug = code_field(Drug, help_text="Only without an implant.")
    indication = code_field(Indication, help_text="Only without an implant.")
    age_band = code_field(AgeBand, help_text="Only without an implant.")
    sex = code_field(Sex, help_text="Only without an implant.")
    state = code_field(State, blank=False, default=State.DRAFT.value, editable=False)
    reason = code_field(WithdrawalReason, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    seal = models.ForeignKey(
        "registry.Seal",
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
        db_index=False,
    )

    history = SealedRecords()
    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["state", "site"], name="registry_event_by_state"),
            models.Index(fields=["site", "year"], name="registry_event_by_site"),
            models.Index(fields=["year"], name="registry_event_by_year"),
            models.Index(fields=["complication"], name="registry_event_by_term"),
            models.Index(fields=["seal", "id"], name="registry_event_by_seal"),
            KeyIndex(fields=["source_id"], name="registry_event_by_key"),
        ]
        constraints = event_constraints()

    def __str__(self) -> str:
        return str(self.public_id)

    def with_causes(self) -> Iterator[Event]:
        """This event, the one that caused it, and so on back; each once. One query a link."""
        step: Event | None = self
        seen: set[int] = set()
        while step is not None and step.pk not in seen:
            yield step
            seen.add(step.pk)
            step = step.caused_by

    @property
    def seriousness(self) -> frozenset[Seriousness] | None:
        """The criteria met, {none} where none is, or None where nobody recorded any."""
        return frozenset(code for code, field in CRITERIA.items() if getattr(self, field)) or (
            frozenset({Seriousness.NONE}) if self.serious_none else None
        )

    @seriousness.setter
    def seriousness(self, criteria: Iterable[Seriousness] | None) -> None:
        ticked = frozenset(criteria or ())
        for code, field in CRITERIA.items():
            setattr(self, field, code in ticked)
        self.serious_none = Seriousness.NONE in ticked

    @property
    def is_serious(self) -> bool | None:
        """Whether a criterion of seriousness is met; None where not recorded."""
        criteria = self.seriousness
        return None if criteria is None else criteria != {Seriousness.NONE}
