"""A site's own rows as files, streamed to those who see them."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from registry import intake
from registry.records import RowKind, UnknownRow
from registry.vocabulary import Right


class _Line:
    """What csv.writer writes to: gives back the line."""

    def write(self, line: str) -> str:
        return line


@require_safe
def export_page(request: HttpRequest, site: str, kind: str) -> StreamingHttpResponse:
    """The rows of one kind of a site as CSV, for its members and those who see all rows."""
    user: Any = request.user
    if not (user.may(Right.ENTER_ROWS) or user.may(Right.SEE_ALL_ROWS)):
        raise PermissionDenied
    try:
        rows = intake.export_rows(intake.site_to_export(site, by=user), RowKind(kind), by=user)
    except (UnknownRow, ValueError):
        raise Http404 from None
    response = StreamingHttpResponse(_as_csv(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}-{site.lower()}.csv"'
    return response


def _as_csv(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow(row)
