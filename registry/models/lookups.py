"""A lookup for thousands of values: `source_id__among=keys`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, ForeignObject, Lookup
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler

_WHOLE = frozenset({"smallint", "integer", "bigint"})


@Field.register_lookup
@ForeignObject.register_lookup
class Among(Lookup):
    """As `in` for values that are strings or whole numbers, in one parameter however many.

    `in` makes an expression and a placeholder of each: of a file's keys that took an eighth of an
    import. Numbers are given the column's own type: PostgreSQL looks only those up in a table of
    hashes, and holds a row against every other one in turn.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        """PostgreSQL takes an array, SQLite a table made of JSON."""
        column, parameters = self.process_lhs(compiler, connection)
        chosen, values = chosen_by(column, self.lhs.output_field, self.rhs, connection)
        return chosen, (*parameters, values)


@ForeignObject.register_lookup
class WithKeys(Lookup):
    """`site__with_keys={site: keys}`: the rows of these sites whose source id is one of its keys.

    A filter for each site would be built anew for each: of a file of twenty sites that took a
    tenth of an import. Blank keys are none, said in the words of the partial index of events,
    without which SQLite does not use it.
    """

    lookup_name = "with_keys"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        """An alternative for each site; the mapping is never empty."""
        site = self.lhs
        field = site.target.model._meta.get_field("source_id")
        key, _none = Col(site.alias, field).as_sql(compiler, connection)
        own, _none = self.process_lhs(compiler, connection)
        parts, parameters = [], []
        by_site: Mapping[int, Iterable[str]] = self.rhs
        for number, keys in by_site.items():
            among, values = chosen_by(key, field, keys, connection)
            parts.append(f"({own} = %s AND {among} AND NOT ({key} = ''))")
            parameters += [number, values]
        return f"({' OR '.join(parts)})", tuple(parameters)


def chosen_by(
    column: str, field: Any, values: Iterable[str | int], connection: BaseDatabaseWrapper
) -> tuple[str, str | list[str | int]]:
    """The condition that a quoted column of this field holds one of the values, and its one
    parameter."""
    if connection.vendor == "postgresql":
        own_type = field.db_type(connection)
        if own_type in _WHOLE:
            return f"{column} = ANY(%s::{own_type}[])", f"{{{','.join(map(str, values))}}}"
        return f"{column} = ANY(%s)", list(values)
    chosen = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - a quoted name
    return chosen, json.dumps(list(values))
