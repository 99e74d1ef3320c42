"""An answer as a file: JSON or CSV, with numbers written alike in both."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rest_framework.renderers import JSONRenderer

from registry.records import Release

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet read a cell as a formula (OWASP, CSV injection)."""


def body_of(release: Release) -> dict[str, Any]:
    """The whole answer as replied: metadata, columns and flat rows."""
    return {
        "meta": release.meta,
        "columns": [asdict(column) for column in release.columns],
        "rows": [dict(row) for row in release.rows],
        "next": None,
    }


def as_json(body: Mapping[str, Any]) -> bytes:
    """A body as the API replies it, to the byte."""
    rendered: bytes = JSONRenderer().render(body)
    return rendered


def as_csv(body: Mapping[str, Any]) -> bytes:
    """The rows of a body as CSV: a header, no preamble; a hidden number is an empty cell.

    Text that a spreadsheet would run as a formula gets an apostrophe before it. Numbers never do,
    and are written as in JSON.
    """
    names = [column["name"] for column in body["columns"]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([written(name) for name in names])
    writer.writerows([written(row.get(name)) for name in names] for row in body["rows"])
    return text.getvalue().encode()


def file_name(release: Release, extension: str) -> str:
    """A file name from the question and its data: `rates-by-year-2026q4.csv`."""
    snapshot = release.meta["snapshot"]
    frozen = snapshot if isinstance(snapshot, Mapping) else {}
    grouping = "-".join(release.query.group_by)
    by = f"by-{grouping}" if grouping else ""
    data = str(frozen.get("label") or str(frozen.get("id", ""))[:12])
    under = "under-agreement" if release.meta.get("agreement") else ""
    return name_of(str(release.meta["measure"]), by, data, under, extension=extension)


def name_of(*parts: str, extension: str) -> str:
    """A file name in lower-case letters, digits and hyphens; leaves out empty parts."""
    plain = re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, parts)).lower()).strip("-")
    return f"{plain}.{extension}"


def written(cell: object) -> str:
    """One CSV cell: text escaped against formulas, a number as JSON writes it.

    R and pandas read TRUE and FALSE as booleans by default.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
    return json.dumps(cell, allow_nan=False)
