"""Formats rows: in a stable order, with codes, labels or both."""

from collections.abc import Mapping, Sequence

from registry.records import DIMENSIONS, BadQuery, Cell, Column, Fault, ValueKind
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.found import Found
from registry.reporting.words import sentences
from registry.snapshot.terms import Terms
from registry.vocabulary import CODELISTS, NOT_RECORDED

NOT_RECORDED_LABEL = "Not recorded"
LAST = 1_000_000


def ordered(
    rows: Sequence[Row], *, question: Question, terms: Terms, columns: Sequence[Column]
) -> list[Row]:
    """Sorts rows by the code lists, blanks last; then by `ordering`.

    Raises BadQuery where `ordering` names no column of the answer.
    """
    group_by = question.named_rows
    places = {name: _places_of(name, question, terms) for name in group_by}

    def place(row: Row) -> tuple[tuple[int, str], ...]:
        return tuple(
            _place(places[name], value) for name, value in zip(group_by, row.key, strict=True)
        )

    found = sorted(rows, key=place)
    known = {column.name for column in columns}
    for word in reversed(question.query.ordering):
        name = word.removeprefix("-")
        if name in group_by:
            at = group_by.index(name)
            found.sort(key=lambda row, at=at: place(row)[at], reverse=word.startswith("-"))  # type: ignore[misc]
        elif name in known:
            found = _by_number(found, name, downward=word.startswith("-"))
        else:
            raise BadQuery(Fault("ordering", "unknown-column", "Order by a column of the answer."))
    return found


def _by_number(rows: list[Row], name: str, *, downward: bool) -> list[Row]:
    """Sorts by a number or a status; rows without one come last, so order discloses nothing."""
    if name == "status":
        return sorted(rows, key=lambda row: row.status.value, reverse=downward)
    shown = [row for row in rows if row.numbers.get(name) is not None]
    shown.sort(key=lambda row: row.numbers[name], reverse=downward)  # type: ignore[arg-type, return-value]
    return [*shown, *(row for row in rows if row.numbers.get(name) is None)]


def _places_of(name: str, question: Question, terms: Terms) -> dict[str, int]:
    if name == "complication":
        codes = [term.code for term in terms.complications]
    elif name == "category":
        codes = [group.code for group in terms.categories]
    elif name == "window":
        codes = [str(window) for window in question.windows]
    elif name == "serious":
        codes = ["yes", "no"]
    else:
        codelist = CODELISTS.get(DIMENSIONS[name].codelist or "")
        codes = [str(code.value) for code in codelist] if codelist else []
    return {code: place for place, code in enumerate(codes)}


def rows_of(found: Sequence[Found]) -> list[Row]:
    """Cells as rows, with unchanged numbers."""
    return [Row(each.key, each.numbers, each.status) for each in found]


def _place(places: Mapping[str, int], value: Cell) -> tuple[int, str]:
    if value is None or value == "":
        return LAST + 1, ""
    if isinstance(value, int) and not places:
        return value, ""
    return places.get(str(value), LAST), str(value)


def written(
    rows: Sequence[Row], *, question: Question, terms: Terms, columns: Sequence[Column]
) -> tuple[tuple[Column, ...], tuple[Mapping[str, Cell], ...]]:
    """The columns of the answer and its rows as flat objects."""
    values = tuple(_written_row(row, question, terms, columns) for row in rows)
    return (*grouping_columns(question), *columns), values


def grouping_columns(question: Question) -> tuple[Column, ...]:
    """The columns that name a row: codes, labels or both, by the question."""
    query = question.query
    dimensions: list[Column] = []
    for name in question.named_rows:
        numeric = DIMENSIONS[name].kind is ValueKind.YEAR or name == "severity"
        kind = "integer" if numeric and query.labels != "label" else "string"
        dimensions.append(Column(name, kind, "dimension", title=DIMENSIONS[name].title))
        if query.labels == "both":
            labelled = f"{DIMENSIONS[name].title}, in words"
            dimensions.append(Column(f"{name}_label", "string", "dimension", title=labelled))
    return tuple(dimensions)


def shown_value(name: str, value: Cell, *, labels: str, terms: Terms) -> Cell:
    """A value of a dimension in a row: its label where only labels are wanted, else its code.

    A blank is "not recorded" in both.
    """
    blank = value is None or value == ""
    if labels == "label":
        return NOT_RECORDED_LABEL if blank else sentences.label_of(name, value, terms)
    return NOT_RECORDED if blank else value


def _written_row(
    row: Row, question: Question, terms: Terms, columns: Sequence[Column]
) -> Mapping[str, Cell]:
    flat: dict[str, Cell] = {}
    labels = question.query.labels
    for name, value in zip(question.named_rows, row.key, strict=True):
        flat[name] = shown_value(name, value, labels=labels, terms=terms)
        if labels == "both":
            flat[f"{name}_label"] = shown_value(name, value, labels="label", terms=terms)
    for column in columns:
        flat[column.name] = (
            row.status.value if column.name == "status" else row.numbers.get(column.name)
        )
    return flat
