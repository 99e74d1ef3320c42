"""Indexes that Django has no words for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement, Table


class KeyIndex(models.Index):
    """Finds a key, or keys that begin so, without regard to upper and lower case.

    For the lookups `istartswith` and `iexact`, in the form in which either database is asked for
    them: PostgreSQL by the upper-case text, byte by byte, in any collation; SQLite by NOCASE.
    fields: one column of text.
    """

    def create_sql(
        self, model: type[models.Model], schema_editor: Any, using: str = "", **kwargs: Any
    ) -> Statement:
        """The statement that creates it."""
        quote = schema_editor.quote_name
        [name] = self.fields
        column = quote(model._meta.get_field(name).column)  # type: ignore[union-attr]
        by = (
            f"UPPER({column}::text) text_pattern_ops"
            if schema_editor.connection.vendor == "postgresql"
            else f"{column} COLLATE NOCASE"
        )
        return Statement(
            "CREATE INDEX %(name)s ON %(table)s (%(by)s)",
            table=Table(model._meta.db_table, quote),
            name=quote(self.name),
            by=by,
        )
