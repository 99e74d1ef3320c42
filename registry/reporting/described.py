"""What can be asked, and what can be cited."""

from collections.abc import Sequence

from registry.models import Snapshot
from registry.records import DIMENSIONS, Dimension, NoSnapshot, Viewer
from registry.reporting import freshness
from registry.reporting.profiles import PROTECTED_GROUPS
from registry.reporting.words import label_of
from registry.snapshot.schema import TABLES
from registry.snapshot.terms import Terms
from registry.vocabulary import CODELISTS, NOT_RECORDED, SnapshotKind


def dimensions(viewer: Viewer) -> list[dict[str, object]]:
    """Every dimension: its title, side and values, and whether this viewer may use it.

    Values of complication, category, site and country are those of the newest snapshot that the
    viewer may ask; before there is one they are empty. Years and months have no list.
    """
    if not viewer.may_ask:
        return []
    terms = _terms(viewer)
    site_exact = bool(viewer.exact_sites)
    found: list[dict[str, object]] = []
    for dimension in DIMENSIONS.values():
        exact = viewer.exact_everywhere or site_exact
        protected_filter = dimension.name == "category"
        protected_group = dimension.name in PROTECTED_GROUPS
        found.append(
            {
                "name": dimension.name,
                "title": dimension.title,
                "side": dimension.side.value,
                "kind": dimension.kind.value,
                "parent": dimension.parent,
                "filter": exact or protected_filter,
                "group_by": dimension.groupable and (exact or protected_group),
                "only_with_own_site": exact
                and not viewer.exact_everywhere
                and not (protected_filter or protected_group),
                "values": _values(dimension, terms, viewer),
            }
        )
    return found


def _terms(viewer: Viewer) -> Terms:
    try:
        exact = viewer.exact_everywhere or viewer.exact_sites
        frozen = freshness.current() if exact else freshness.newest_release()
    except NoSnapshot:
        return Terms(version="", complications=(), categories=(), sites={})
    return frozen.store.manifest.terms


def _values(dimension: Dimension, terms: Terms, viewer: Viewer) -> list[dict[str, object]]:
    name = dimension.name
    codes: Sequence[object]
    if name == "complication":
        codes = [term.code for term in terms.complications]
    elif name == "category":
        codes = [group.code for group in terms.categories]
    elif name == "site":
        mine = None if viewer.exact_everywhere else viewer.exact_sites
        codes = [code for code in sorted(terms.sites) if mine is None or code in mine]
    elif name == "country":
        codes = sorted({country for country in terms.sites.values() if country})
    elif name == "serious":
        codes = ["yes", "no"]
    else:
        codelist = CODELISTS.get(dimension.codelist or "")
        codes = [code.value for code in codelist] if codelist else []
    values: list[dict[str, object]] = [
        {"id": code, "label": label_of(name, code, terms)} for code in codes
    ]
    if codes and name not in {"complication", "category", "site"}:
        values.append({"id": NOT_RECORDED, "label": "Not recorded"})
    return values


def snapshots(viewer: Viewer) -> list[dict[str, object]]:
    """What can be cited: releases, newest first, and the working snapshot for exact viewers."""
    if not viewer.may_ask:
        return []
    rows = Snapshot.objects.order_by("-made_at")
    exact = viewer.exact_everywhere or viewer.exact_sites
    if not exact:
        rows = rows.filter(kind=SnapshotKind.RELEASE)
    return [_described(row, sizes=viewer.exact_everywhere) for row in rows]


def _described(row: Snapshot, *, sizes: bool) -> dict[str, object]:
    described: dict[str, object] = {
        "id": row.snapshot_id,
        "kind": row.kind,
        "label": row.label,
        "schema_version": row.schema_version,
        "catalogue_version": row.catalogue_version,
        "data_as_of": row.data_as_of.isoformat() if row.data_as_of else None,
    }
    if sizes:
        described |= {
            "events": row.events,
            "implants": row.implants,
            "exposures": row.exposures,
        }
    return described


def dictionary() -> list[dict[str, str]]:
    """The columns of a snapshot with their meaning, for whoever cites one."""
    return [
        {
            "table": table,
            "column": column.name,
            "type": column.kind.value,
            "meaning": column.meaning,
        }
        for table, columns in TABLES.items()
        for column in columns
    ]
