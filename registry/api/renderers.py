"""Answers as JSON and as CSV: the same numbers, written by the same rule."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet read a text cell as a formula (OWASP, CSV injection)."""


class CsvRenderer(BaseRenderer):
    """The rows of an answer as CSV: a header, no preamble; a hidden number is an empty cell.

    Text that a spreadsheet would run as a formula gets an apostrophe before it. Numbers never do,
    and are written as in JSON.
    """

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None:
            return b""
        names = [column["name"] for column in data["columns"]]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([written(name) for name in names])
        writer.writerows([written(row.get(name)) for name in names] for row in data["rows"])
        return text.getvalue().encode()


def written(cell: object) -> str:
    """One cell as CSV holds it: text made harmless, everything else as JSON writes it."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    return json.dumps(cell, allow_nan=False)
