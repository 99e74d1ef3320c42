"""The dimensions, snapshots and columns that a viewer may ask and cite."""

from collections.abc import Mapping, Sequence

from registry.disclosure import Tree, combinable
from registry.disclosure.policy import Offered
from registry.models import Snapshot
from registry.records import DIMENSIONS, Dimension, NoSnapshot, Viewer
from registry.reporting.asking import freshness
from registry.reporting.protected.trees import trees_of
from registry.reporting.protected_answers import POLICY
from registry.reporting.words.sentences import label_of
from registry.snapshot.schema import TABLES
from registry.snapshot.terms import Terms
from registry.vocabulary import CODELISTS, NOT_RECORDED, SnapshotKind

_COMBINABLE = combinable(POLICY)


def dimensions(viewer: Viewer) -> list[dict[str, object]]:
    """Every dimension: its title, side and values, and what this viewer may do with it.

    Values of complication, category, site and country are those of the newest snapshot that the
    viewer may ask, and empty without one. Years and months have no list. `protected` says how
    protected answers take it, None where they do not. Depends on code lists and catalogue only,
    not on recorded data.
    """
    if not viewer.may_ask:
        return []
    exact = viewer.exact_everywhere or bool(viewer.exact_sites)
    terms, trees = _terms_and_trees(exact=exact)
    found: list[dict[str, object]] = []
    for dimension in DIMENSIONS.values():
        offered = POLICY.offer(dimension.name)
        found.append(
            {
                "name": dimension.name,
                "title": dimension.title,
                "side": dimension.side.value,
                "kind": dimension.kind.value,
                "parent": dimension.parent,
                "filter": exact or offered is not None,
                "group_by": dimension.groupable and (exact or offered is not None),
                "only_with_own_site": exact and not viewer.exact_everywhere and offered is None,
                "protected": _offer(dimension.name, offered, trees) if offered else None,
                "values": _values(dimension, terms),
            }
        )
    return found


def _offer(name: str, offered: Offered, trees: Mapping[str, Tree]) -> dict[str, object]:
    """How protected answers take a dimension.

    levels: how fine a question may be, the finest first; `group` where groups only serve to join
    values. groups: the values of each. several_values: whether a filter may hold several that are
    no group. combined_with: the dimensions that may stand beside it in one question, each alone.
    of_the_event: whether it is the event's own. most_beside: how many dimensions may stand beside a
    complication, a category or all.
    """
    tree = trees[offered.name]
    finest = [] if name == offered.group else [offered.name]
    coarser = [offered.group or "group"] if tree.groups else []
    return {
        "levels": [*finest, *coarser, "all"],
        "groups": {
            group: [value for value in tree.values if tree.group_of[value] == group]
            for group in tree.groups
        },
        "several_values": not offered.of_event,
        "of_the_event": offered.of_event,
        "combined_with": list(_COMBINABLE[name]),
        "most_beside": POLICY.most_beside,
    }


def _terms_and_trees(*, exact: bool) -> tuple[Terms, Mapping[str, Tree]]:
    try:
        frozen = freshness.current() if exact else freshness.newest_release()
    except NoSnapshot:
        nothing = Terms(version="", complications=(), categories=(), sites={})
        return nothing, trees_of(nothing, data_as_of=None, policy=POLICY)
    terms = frozen.store.manifest.terms
    return terms, trees_of(terms, data_as_of=frozen.data_as_of, policy=POLICY)


def _values(dimension: Dimension, terms: Terms) -> list[dict[str, object]]:
    name = dimension.name
    codes: Sequence[object]
    if name == "complication":
        codes = [term.code for term in terms.complications]
    elif name == "category":
        codes = [group.code for group in terms.categories]
    elif name == "site":
        codes = sorted(terms.sites)
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
    """The releases, newest first, and for exact viewers the working snapshot.

    For the public only the newest release, which it may ask.
    """
    if not viewer.may_ask:
        return []
    rows = Snapshot.objects.order_by("-made_at")
    exact = viewer.exact_everywhere or viewer.exact_sites
    if not exact:
        rows = rows.filter(kind=SnapshotKind.RELEASE)
    if viewer.is_public:
        rows = rows[:1]
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
    """The columns of a snapshot with their meaning."""
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
