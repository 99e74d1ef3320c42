"""The catalogue: complications of intrathecal systems, and published figures on them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from registry.models.audit import SealedRecords
from registry.models.rules import KEBAB_CASE, all_coded, code_field, coded, rule
from registry.vocabulary import (
    Component,
    Denominator,
    Evidence,
    ImdrfRelation,
    ImdrfRole,
    Origin,
    StudiedAges,
    TermLanguage,
    Therapy,
)


def _code_rule() -> models.CheckConstraint:
    return rule(
        "code_is_kebab_case",
        Q(code__regex=KEBAB_CASE),
        "Write a code in lower-case words with hyphens.",
    )


class CatalogueVersion(models.Model):
    """A version of the shipped catalogue, and the seal under which it was loaded."""

    version = models.CharField(max_length=20, unique=True)
    seal = models.ForeignKey("registry.Seal", on_delete=models.PROTECT, related_name="+")

    history = SealedRecords()

    class Meta:
        ordering = ["-seal"]

    def __str__(self) -> str:
        return self.version


class Category(models.Model):
    """A family of complications."""

    code = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=80)
    definition = models.TextField()
    natural_denominator = code_field(Denominator, blank=False)
    sort_order = models.PositiveSmallIntegerField()

    history = SealedRecords()

    class Meta:
        ordering = ["sort_order", "code"]
        verbose_name_plural = "categories"
        constraints = [_code_rule(), coded("natural_denominator", Denominator, blank=False)]

    def __str__(self) -> str:
        return self.name


class ComplicationQuerySet(models.QuerySet):
    """Complications, read as parts of a sentence."""

    def current(self) -> ComplicationQuerySet:
        """Only those that new events may be coded with."""
        return self.filter(retired=False)


class Complication(models.Model):
    """One complication: its definition, its origin, and its rate's denominator."""

    code = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=120)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="complications")
    definition = models.TextField()
    synonyms = models.TextField(blank=True, default="", help_text="Separated by semicolons.")
    origin = code_field(Origin, blank=False)
    clock = code_field(
        Component, blank=False, help_text="The component whose time an event is counted in."
    )
    natural_denominator = code_field(Denominator, blank=False)
    in_totals = models.BooleanField(
        default=True, help_text="No for consequences, such as revision surgery, of other events."
    )
    imdrf_annex_a = models.CharField(
        max_length=10, blank=True, default="", verbose_name="IMDRF Annex A"
    )
    imdrf_annex_e = models.CharField(
        max_length=10, blank=True, default="", verbose_name="IMDRF Annex E"
    )
    citations = models.TextField(blank=True, default="", help_text="Separated by vertical bars.")
    evidence = code_field(Evidence, blank=False)
    core_group = models.CharField(max_length=40, blank=True, default="")
    retired = models.BooleanField(default=False, help_text="Kept for old events, not for new ones.")
    replaced_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaces"
    )

    history = SealedRecords()
    objects = ComplicationQuerySet.as_manager()

    class Meta:
        ordering = ["category", "name"]
        constraints = [
            _code_rule(),
            coded("origin", Origin, blank=False),
            coded("clock", Component, blank=False),
            coded("natural_denominator", Denominator, blank=False),
            coded("evidence", Evidence, blank=False),
            rule(
                "replaced_means_retired",
                Q(replaced_by__isnull=True) | Q(retired=True) & ~Q(replaced_by=F("code")),
                "Retire a complication that another one replaces.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def synonym_list(self) -> list[str]:
        """Other names in use, in the catalogue's order."""
        return [part.strip() for part in self.synonyms.split(";") if part.strip()]

    @property
    def citation_list(self) -> list[str]:
        """The sources behind the entry, in the catalogue's order."""
        return [part.strip() for part in self.citations.split("|") if part.strip()]


class PublishedRate(models.Model):
    """A figure from the literature, for comparison with the registry's own."""

    rate_id = models.CharField(max_length=10, primary_key=True)
    complication = models.ForeignKey(
        Complication,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="published_rates",
    )
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, blank=True, related_name="published_rates"
    )
    metric = models.CharField(max_length=120)
    measure_type = models.CharField(max_length=20)
    numerator = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    denominator = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    unit = models.CharField(max_length=40, blank=True, default="")
    reported_rate = models.CharField(max_length=60, blank=True, default="")
    ci95 = models.CharField(max_length=30, blank=True, default="")
    population = models.TextField(blank=True, default="")
    age_group = code_field(StudiedAges)
    therapy = code_field(Therapy)
    source = models.TextField()
    confidence = models.CharField(max_length=20, blank=True, default="")
    shown = models.BooleanField(default=True)
    note = models.TextField(blank=True, default="")

    history = SealedRecords()

    class Meta:
        ordering = ["rate_id"]
        constraints = all_coded({"age_group": StudiedAges, "therapy": Therapy})

    def __str__(self) -> str:
        return f"{self.rate_id}: {self.metric}"


class Synonym(models.Model):
    """Another name of a complication in one language, for search."""

    key = models.CharField(
        max_length=160, primary_key=True, help_text="Complication, language and term."
    )
    complication = models.ForeignKey(
        Complication, on_delete=models.PROTECT, related_name="names_elsewhere"
    )
    language = code_field(TermLanguage, blank=False)
    term = models.CharField(max_length=100)
    shown = models.BooleanField(default=True)

    history = SealedRecords()

    class Meta:
        ordering = ["complication", "language", "term"]
        constraints = [coded("language", TermLanguage, blank=False)]

    def __str__(self) -> str:
        return self.term


class ImdrfCode(models.Model):
    """A term of the IMDRF terminologies and how it relates to a complication."""

    key = models.CharField(max_length=60, primary_key=True, help_text="Complication and code.")
    complication = models.ForeignKey(
        Complication, on_delete=models.PROTECT, related_name="imdrf_codes"
    )
    annex = models.CharField(max_length=1, help_text="A: device problem. E: clinical.")
    code = models.CharField(max_length=10)
    term = models.CharField(max_length=200)
    relation = code_field(ImdrfRelation, blank=False)
    role = code_field(ImdrfRole, blank=False)
    shown = models.BooleanField(default=True)

    history = SealedRecords()

    class Meta:
        ordering = ["complication", "annex", "-role", "code"]
        verbose_name = "IMDRF code"
        constraints = [
            rule("annex_is_a_or_e", Q(annex__in=["A", "E"]), "Annex A or E."),
            coded("relation", ImdrfRelation, blank=False),
            coded("role", ImdrfRole, blank=False),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.term}"
