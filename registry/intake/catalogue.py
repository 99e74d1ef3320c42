"""Writes the catalogue of complications: the shipped version, and data managers' edits."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from registry.catalogue import (
    CategoryEntry,
    ComplicationEntry,
    ImdrfCodeEntry,
    PublishedRateEntry,
    SynonymEntry,
    read_catalogue,
)
from registry.intake.relations import refuse
from registry.intake.writers import require_data_manager
from registry.models import (
    CatalogueVersion,
    Category,
    Complication,
    ImdrfCode,
    PublishedRate,
    Seal,
    Sealing,
    Synonym,
    User,
    sealed,
)
from registry.records import Fault, RowRuleBroken, UnknownRow

LOADING = "load-catalogue"
"""The action of seals under which the shipped catalogue is written."""

EDITABLE = (
    "name",
    "category",
    "definition",
    "synonyms",
    "origin",
    "clock",
    "natural_denominator",
    "in_totals",
    "imdrf_annex_a",
    "imdrf_annex_e",
    "citations",
    "evidence",
    "core_group",
    "retired",
    "replaced_by",
)
"""The fields of a complication that data managers edit; its code never changes."""

_RELATIONS = frozenset({"category", "replaced_by"})
_TOGETHER = frozenset({"retired", "replaced_by_id"})

Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CatalogueSummary:
    """The result of loading the shipped catalogue.

    kept: local edits that differ from the new version, as (code, column).
    """

    version: str
    new: int = 0
    updated: int = 0
    retired: int = 0
    unchanged: int = 0
    kept: tuple[tuple[str, str], ...] = field(default=())


def load_catalogue(*, by: User | None = None, folder: Path | None = None) -> CatalogueSummary:
    """Loads the shipped catalogue, or the one in a folder; loading it again changes nothing.

    Does not change a version already loaded, or its local edits. A new version sets each column
    that was not edited here since the last version; edits are kept, and reported where the new
    version differs. Terms that are no longer shipped are retired and kept.

    Raises NotPermitted, CatalogueFault.
    """
    require_data_manager(by, "load the catalogue")
    shipped = read_catalogue(folder)
    with sealed(by=by, action=LOADING) as seal:
        if CatalogueVersion.objects.filter(version=shipped.version).exists():
            kinds = (shipped.categories, shipped.complications, shipped.published_rates)
            same = sum(map(len, (*kinds, shipped.synonyms, shipped.imdrf_codes)))
            return CatalogueSummary(shipped.version, unchanged=same)
        loading = _Loading(seal)
        loading.take(Category, {one.code: _category(one) for one in shipped.categories})
        loading.take(Complication, {one.code: _complication(one) for one in shipped.complications})
        loading.retire(shipped.by_code)
        loading.take(
            PublishedRate, {one.rate_id: _published_rate(one) for one in shipped.published_rates}
        )
        loading.take(Synonym, {_synonym_key(one): _synonym(one) for one in shipped.synonyms})
        loading.take(ImdrfCode, {_imdrf_key(one): _imdrf_code(one) for one in shipped.imdrf_codes})
        loading.hide(PublishedRate, {one.rate_id for one in shipped.published_rates})
        loading.hide(Synonym, set(map(_synonym_key, shipped.synonyms)))
        loading.hide(ImdrfCode, set(map(_imdrf_key, shipped.imdrf_codes)))
        seal.save(CatalogueVersion(version=shipped.version, seal_id=seal.number))
    return CatalogueSummary(
        shipped.version,
        new=loading.new,
        updated=loading.updated,
        retired=loading.retired,
        unchanged=loading.unchanged,
        kept=tuple(loading.kept),
    )


class _Loading:
    """Merges a new version of the catalogue with stored entries and local edits."""

    def __init__(self, seal: Sealing) -> None:
        self.seal = seal
        self.new = self.updated = self.retired = self.unchanged = 0
        self.kept: list[tuple[str, str]] = []
        self._loads = set(Seal.objects.filter(action=LOADING).values_list("number", flat=True))

    def take(self, model: type[Model], entries: Mapping[str, Columns]) -> None:
        """Stores the new entries of one kind, and the changes of the others."""
        stored = model._default_manager.in_bulk(list(entries))
        edited = self._edited(model)
        fresh: list[Model] = []
        for code, columns in entries.items():
            row = stored.get(code)
            if row is None:
                fresh.append(model(pk=code, **columns))
                continue
            changes = [name for name, value in columns.items() if getattr(row, name) != value]
            taken = [name for name in changes if name not in edited[code]]
            self.kept += [(code, name) for name in changes if name in edited[code]]
            if taken:
                for name in taken:
                    setattr(row, name, columns[name])
                self.seal.save(row)
                self.updated += 1
            else:
                self.unchanged += 1
        self.new += self.seal.bulk_create(model, fresh)

    def _edited(self, model: type[Model]) -> dict[str, set[str]]:
        """The locally edited columns of each entry. One query."""
        edited: dict[str, set[str]] = defaultdict(set)
        before: dict[str, Columns] = {}
        history = model.history.order_by("history_id")  # type: ignore[attr-defined]
        names = [item.attname for item in model._meta.concrete_fields]
        for row in history.values("seal_number", *names):
            code = row[names[0]]
            changed = {n for n in names if code not in before or before[code][n] != row[n]}
            if row["seal_number"] in self._loads:
                edited[code] -= changed
            else:
                edited[code] |= changed
            if not edited[code].isdisjoint(_TOGETHER):
                edited[code] |= _TOGETHER
            before[code] = row
        return edited

    def retire(self, shipped: Collection[str]) -> None:
        """Retires terms that are no longer shipped; keeps terms added here."""
        once = Complication.history.filter(seal_number__in=self._loads).values("code")
        for row in Complication.objects.filter(pk__in=once, retired=False):
            if row.pk not in shipped:
                row.retired = True
                self.seal.save(row)
                self.retired += 1

    def hide(self, model: type[Model], shipped: Collection[str]) -> None:
        """Hides rows of one kind that are no longer shipped."""
        for row in model._default_manager.filter(shown=True):
            if row.pk not in shipped:
                row.shown = False  # type: ignore[attr-defined]
                self.seal.save(row)
                self.retired += 1


def change_complication(code: str, values: Mapping[str, Any], *, by: User) -> Complication:
    """Edits the given fields of a catalogue entry; for data managers.

    values: by field of the model, relations by code. The code cannot change, nor can category and
    clock once events are coded with it. Raises NotPermitted, UnknownRow,
    RowRuleBroken.
    """
    require_data_manager(by, "edit the catalogue")
    with sealed(by=by, action="change-complication") as seal:
        row = Complication.objects.filter(pk=code).first()
        if row is None:
            raise UnknownRow(Fault("code", UnknownRow.code, "the catalogue has no such code"))
        changed = _fill(row, values)
        if not changed:
            return row
        if changed & {"category", "clock"} and row.events.exists():
            detail = "events are coded with it; retire it and name another as its replacement"
            raise RowRuleBroken(
                [Fault(name, "in-use", detail) for name in sorted(changed & {"category", "clock"})]
            )
        seal.save(row)
    return row


def add_complication(code: str, values: Mapping[str, Any], *, by: User) -> Complication:
    """Adds an entry of this registry's own to the catalogue; for data managers.

    Raises NotPermitted, RowRuleBroken.
    """
    require_data_manager(by, "edit the catalogue")
    with sealed(by=by, action="add-complication") as seal:
        if Complication.objects.filter(pk=code).exists():
            raise RowRuleBroken(Fault("code", "code-exists", "the catalogue has this code already"))
        row = Complication(code=code)
        _fill(row, values)
        seal.save(row)
    return row


def _fill(row: Complication, values: Mapping[str, Any]) -> set[str]:
    """Writes values into an entry and validates it; returns the changed fields."""
    faults, changed = [], set()
    for name, value in values.items():
        if name not in EDITABLE:
            faults.append(Fault(name, "cannot-change", "this field cannot be edited"))
            continue
        column = f"{name}_id" if name in _RELATIONS else name
        value = (value or None) if name in _RELATIONS else value
        if getattr(row, column) != value:
            setattr(row, column, value)
            changed.add(name)
    refuse(tuple(faults))
    try:
        row.full_clean(validate_unique=False)
    except ValidationError as error:
        refuse(tuple(_rule_faults(error)))
    return changed


def _rule_faults(error: ValidationError) -> Iterator[Fault]:
    for column, problems in error.error_dict.items():
        for problem in problems:
            name = "" if column == NON_FIELD_ERRORS else column
            said = "choose from the list" if problem.params else " ".join(problem.messages)
            yield Fault(name, (problem.code or "invalid").replace("_", "-"), said)


def _category(entry: CategoryEntry) -> Columns:
    return {
        "name": entry.name,
        "definition": entry.definition,
        "natural_denominator": entry.natural_denominator.value,
        "sort_order": entry.sort_order,
    }


def _complication(entry: ComplicationEntry) -> Columns:
    return {
        "name": entry.name,
        "category_id": entry.category,
        "definition": entry.definition,
        "synonyms": "; ".join(entry.synonyms),
        "origin": entry.origin.value,
        "clock": entry.clock.value,
        "natural_denominator": entry.natural_denominator.value,
        "in_totals": entry.in_totals,
        "imdrf_annex_a": entry.imdrf_annex_a,
        "imdrf_annex_e": entry.imdrf_annex_e,
        "citations": " | ".join(entry.citations),
        "evidence": entry.evidence.value,
        "core_group": entry.core_group,
        "retired": entry.retired,
        "replaced_by_id": entry.replaced_by,
    }


def _published_rate(entry: PublishedRateEntry) -> Columns:
    return {
        "complication_id": entry.complication_code,
        "category_id": entry.category_code,
        "metric": entry.metric,
        "measure_type": entry.measure_type.value,
        "numerator": _exact(entry.numerator),
        "denominator": _exact(entry.denominator),
        "unit": entry.unit,
        "reported_rate": entry.reported_rate,
        "ci95": entry.ci95,
        "population": entry.population,
        "age_group": entry.age_group.value,
        "therapy": entry.therapy.value,
        "source": entry.source,
        "confidence": entry.confidence,
        "shown": entry.shown,
        "note": entry.note,
    }


def _synonym_key(entry: SynonymEntry) -> str:
    return f"{entry.complication}/{entry.language}/{entry.term}"


def _synonym(entry: SynonymEntry) -> Columns:
    return {
        "complication_id": entry.complication,
        "language": entry.language.value,
        "term": entry.term,
        "shown": True,
    }


def _imdrf_key(entry: ImdrfCodeEntry) -> str:
    return f"{entry.complication}/{entry.code}"


def _imdrf_code(entry: ImdrfCodeEntry) -> Columns:
    return {
        "complication_id": entry.complication,
        "annex": entry.annex,
        "code": entry.code,
        "term": entry.term,
        "relation": entry.relation.value,
        "role": entry.role.value,
        "shown": True,
    }


def _exact(number: int | float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
