"""Base views of a site's own rows: visibility, versions, access log, private caching."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.cache import patch_vary_headers
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from registry.api.conditions import etag_of, names_tag
from registry.api.filtering import RowFilterBackend
from registry.api.idempotency import WrittenReply, answered_once
from registry.api.lists import ListsRows, chosen_fields, list_reply
from registry.api.pagination import page_of
from registry.api.permissions import WorksWithRows
from registry.api.refusals import VersionRequired
from registry.filters import EventFilterSet, RowFilterSet
from registry.models import AccessLog
from registry.records import Fault, UnknownRow, VersionConflict

Row = TypeVar("Row", bound=Model)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="A random key of 1 to 255 visible characters, such as a UUID. It stands for "
    "method, path, query and body for 24 hours: sent again, it gives the first reply with "
    "`Idempotent-Replayed: true` and writes once; with anything else it is 409. Refusals and dry "
    "runs do not use up the key.",
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the version that was read; 412 if the row changed since.",
)
IF_MATCH_NEEDED = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag of the version that was read: 412 if the row changed since, 428 without "
    "one. `*` changes whatever version is stored.",
)
PUBLIC_ID = OpenApiParameter("public_id", OpenApiTypes.UUID, OpenApiParameter.PATH)


class RowView(APIView):
    """Rows of the caller's own sites, never kept in shared caches.

    shows_a_row_on_file: whether its writes show a row that was stored before, so that a token
    needs the scope to read rows too.
    """

    permission_classes = [WorksWithRows]
    shows_a_row_on_file: ClassVar[bool] = False

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Marks the reply, also a refusal, as private."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-cache"
        patch_vary_headers(final, ("Accept", "Authorization", "Cookie"))
        return final


class RowList(ListsRows, RowView):
    """A list of such rows. filterset_class: its filters."""

    filterset_class: ClassVar[type[EventFilterSet | RowFilterSet]]

    def filtered(self, request: Request, rows: QuerySet[Any]) -> EventFilterSet | RowFilterSet:
        """The filters of the rows; their `qs` raises BadQuery with every fault."""
        found: EventFilterSet | RowFilterSet = RowFilterBackend().get_filterset(request, rows, self)
        return found


@dataclass(frozen=True)
class SiteRows(Generic[Row]):
    """One kind of a site's own rows: its names, and how it is found and shown.

    address: the URL name of one row. beside: related rows to fetch for showing it.
    """

    noun: str
    address: str
    model: type[Row]
    serializer: type[BaseSerializer]
    beside: tuple[str, ...]

    @property
    def plural(self) -> str:
        """The rows in the name of a file, such as "events"."""
        return str(self.model._meta.verbose_name_plural)

    def seen(self, request: Request) -> QuerySet[Row]:
        """The rows that the caller may see, with related rows; one query."""
        rows: Any = self.model._default_manager
        found: QuerySet[Row] = rows.visible_to(request.user)
        return found.select_related(*self.beside)

    def one(self, request: Request, public_id: UUID | str) -> Row:
        """One row that the caller may see; UnknownRow alike for invisible and missing rows."""
        found = self.seen(request).filter(public_id=public_id).first()
        if found is None:
            raise self.unknown()
        return found

    def unknown(self) -> UnknownRow:
        """The refusal of an invisible or missing row."""
        return UnknownRow(Fault("", "not-found", f"There is no such {self.noun} at your sites."))

    def shown(self, request: Request, row: Row) -> dict[str, Any]:
        """The row as plain JSON values."""
        (plain,) = self.all_shown(request, [row])
        return plain

    def all_shown(self, request: Request, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """The rows as plain JSON values; the serializer's fields are made once for all."""
        data = self.serializer(rows, many=True, context={"request": request}).data
        plain: list[dict[str, Any]] = json.loads(JSONRenderer().render(data))
        return plain

    def page(
        self, request: Request, rows: QuerySet[Row], *, what: str, order_by: str = "pk"
    ) -> Response:
        """One page of rows, oldest first; access is logged. what: the filters, in words.

        A request that is refused shows nothing and is no access.
        """
        chosen = chosen_fields(request, self.serializer)
        page = page_of(
            rows,
            request,
            key="public_id",
            order_by=order_by,
            read_key=UUID,
            among=self.seen(request),
        )
        log_look(request, what, len(page.rows))
        return list_reply(request, page, self.serializer, name=self.plural, chosen=chosen)

    def read(self, request: Request, public_id: UUID) -> Response:
        """One row with its ETag, or 304 where the caller has that version; access is logged."""
        row = self.one(request, public_id)
        log_look(request, f"{self.noun} {public_id}", 1)
        if names_tag(request.headers.get("If-None-Match", ""), etag_of(row)):
            return Response(status=304, headers={"ETag": etag_of(row)})
        return Response(self.shown(request, row), headers={"ETag": etag_of(row)})

    def recorded(self, request: Request, record: Callable[[], Row]) -> Response:
        """Stores one new row, and shows it with its address."""

        def write() -> WrittenReply:
            row = record()
            public_id = row.public_id  # type: ignore[attr-defined]
            address = reverse(self.address, [public_id], request=request)
            headers = {"ETag": etag_of(row), "Location": address}
            return WrittenReply(201, self.shown(request, row), headers)

        return answered_once(request, write)

    def changed(
        self,
        request: Request,
        public_id: UUID,
        change: Callable[[int | None], object],
        *,
        needs_version: bool = False,
    ) -> Response:
        """Changes one row, and shows the changed row.

        change: takes the version required to be current, or None. needs_version: whether the
        request has to say which one, by If-Match. Raises UnknownRow first, so that no other
        refusal distinguishes another site's row from a missing one.
        """

        def write() -> WrittenReply:
            row = self.one(request, public_id)
            if needs_version and "If-Match" not in request.headers:
                said = f"Send the ETag of the {self.noun} as you read it, or * for any version."
                raise VersionRequired(Fault("If-Match", "version-required", said))
            change(self._matched_version(request, row))
            row = self.one(request, public_id)
            return WrittenReply(200, self.shown(request, row), {"ETag": etag_of(row)})

        return answered_once(request, write)

    def _matched_version(self, request: Request, row: Any) -> int | None:
        """The version that If-Match requires; None without one. Raises VersionConflict."""
        header = request.headers.get("If-Match")
        if header is None or header.strip() == "*":
            return None
        if names_tag(header, etag_of(row)):
            version: int = row.version
            return version
        detail = (
            f"Somebody changed the {self.noun} since it was read: read it again, then repeat the "
            "change."
        )
        raise VersionConflict(Fault("If-Match", "version-conflict", detail))


def makes_keys(request: Request) -> bool:
    """Whether the registry makes the keys that a new row lacks: only where a repeat stores once."""
    return "Idempotency-Key" in request.headers


def log_look(request: Request, what: str, count: int) -> None:
    """Logs that the caller read rows."""
    user: Any = request.user
    AccessLog.objects.create(user=user, action="row-read", what=what, count=count)
