"""Answers as CSV and as pictures, beside the JSON that the framework renders."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.answers.files import as_csv
from registry.answers.pictures import FORMATS


class CsvRenderer(BaseRenderer):
    """The rows of an answer as CSV: a header, no preamble; a hidden number is an empty cell."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return as_csv(data) if data is not None else b""


class CsvFile(APIView):
    """An address that is a file: CSV alone, whatever is asked for."""

    renderer_classes = [CsvRenderer]


def csv_file(name: str, columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """Rows that are no answer as a file of that name, for a view that renders CSV."""
    body = {"columns": [{"name": column} for column in columns], "rows": rows}
    return Response(body, headers={"Content-Disposition": f'attachment; filename="{name}"'})


class PictureRenderer(BaseRenderer):
    """A picture drawn before rendering, so that a failure is still a problem document."""

    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return data if isinstance(data, bytes) else b""


class SvgRenderer(PictureRenderer):
    """The chart of an answer, to show on a page or in print."""

    format = "svg"
    media_type = FORMATS["svg"].media_type


class PngRenderer(PictureRenderer):
    """The chart of an answer, for slides and documents."""

    format = "png"
    media_type = FORMATS["png"].media_type


class VegaRenderer(PictureRenderer):
    """The Vega-Lite specification of an answer's chart, for notebooks."""

    format = "vega"
    media_type = FORMATS["vega"].media_type


CHARTS = (SvgRenderer, PngRenderer, VegaRenderer)
