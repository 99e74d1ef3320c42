"""Answers as CSV, beside the JSON that the framework renders."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from registry.answers.files import as_csv


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
