"""Write permissions: members at their own sites, reviewers at others, data managers anywhere."""

from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from registry.models import Event, Site, User
from registry.records import Fault, NotPermitted, NotYourSite, UnknownRow, VersionConflict
from registry.vocabulary import Right

M = TypeVar("M", bound=Model)


def may_write(site: Site, *, by: User) -> bool:
    """Whether the writer may enter rows of this active site: a member, or a data manager."""
    return site.active and (by.may(Right.RUN_REGISTRY) or by.sites().filter(pk=site.pk).exists())


def site_to_write(code: str, *, by: User) -> Site:
    """The site of a new row.

    Raises NotYourSite, with the same message for a foreign, closed or missing site.
    """
    site = Site.objects.filter(code=code).first()
    if site is None or not may_write(site, by=by):
        raise NotYourSite(not_your_site())
    return site


def not_your_site() -> Fault:
    """The fault of a row for a site that the writer may not write for."""
    detail = "you are not a member of this site, or there is no such site"
    return Fault("site", NotYourSite.code, detail)


def not_the_lead() -> Fault:
    """The fault of device time declared by someone other than a lead."""
    detail = "only a lead of the site, or a data manager, may declare its device time"
    return Fault("site", NotPermitted.code, detail)


def row_to_write(rows: QuerySet[M], public_id: UUID | str, *, by: User) -> M:
    """The row of that id, if the writer may enter rows of its site.

    Raises UnknownRow where the writer may not see it, NotPermitted where the writer only sees it.
    """
    row = row_in_sight(rows, public_id, by=by)
    require(may_write(row.site, by=by), "enter rows of this site")  # type: ignore[attr-defined]
    return row


def row_in_sight(rows: QuerySet[M], public_id: UUID | str, *, by: User) -> M:
    """The row of that id, if the caller may see it; otherwise UnknownRow."""
    try:
        row = rows.visible_to(by).filter(public_id=public_id).first()  # type: ignore[attr-defined]
    except (ValidationError, ValueError):
        row = None
    if row is None:
        raise UnknownRow(Fault("id", UnknownRow.code, "there is no such row"))
    found: M = row
    return found


def require(allowed: bool, right: str) -> None:
    """Raises NotPermitted, naming the right, where the caller lacks it."""
    if not allowed:
        raise NotPermitted(not_permitted(right))


def not_permitted(right: str) -> Fault:
    """The fault of a caller whose roles do not include a right."""
    return Fault("", NotPermitted.code, f"your roles do not include the right to {right}")


def require_data_manager(by: User | None, right: str) -> None:
    """Raises NotPermitted unless the caller is a data manager, or a command without a user."""
    require(by is None or by.may(Right.RUN_REGISTRY), right)


def require_reviewer(event: Event, *, by: User) -> None:
    """Raises NotPermitted unless the caller may review events, and not of an own site."""
    require(by.may(Right.JUDGE_EVENTS), "review events")
    if by.sites().filter(pk=event.site_id).exists():
        detail = "members of a site cannot review its events"
        raise NotPermitted(Fault("", NotPermitted.code, detail))


def require_version(row: Model, version: int | None) -> None:
    """Raises VersionConflict where the caller read another version of the row."""
    if version is not None and version != row.version:  # type: ignore[attr-defined]
        detail = "this row changed since you read it; read it again"
        raise VersionConflict(Fault("version", VersionConflict.code, detail))
