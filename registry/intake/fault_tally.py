"""The faults of an import, counted by kind and kept singly in a few bytes each."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from registry.records import Fault

FIRST_LINES = 3
"""How many lines of a kind of fault are named."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """Equal faults of one column of a file: how many rows have it, and the first lines."""

    file: str | None
    column: str
    code: str
    detail: str
    rows: int
    lines: tuple[int, ...]

    @property
    def counted(self) -> str:
        """How many rows, and where the first ones stand."""
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        if not self.lines:
            return rows
        if self.rows == 1:
            return f"{rows}, at line {self.lines[0]}"
        if len(self.lines) == 1:
            return f"{rows}, first at line {self.lines[0]}"
        return f"{rows}, first at lines {', '.join(map(str, self.lines))}"


class FaultTally:
    """Faults in the order of files and lines; eight bytes a fault, and some text a kind."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str | None, str, str, str], int] = {}
        self._files: dict[str | None, int] = {}
        self._kind_of = array("I")
        self._lines = array("I")

    def __len__(self) -> int:
        """How many faults there are."""
        return len(self._lines)

    def add(self, fault: Fault) -> None:
        """Counts a fault that has its file and line."""
        kind = fault.file, fault.column, fault.code, fault.detail
        self._files.setdefault(fault.file, len(self._files))
        self._kind_of.append(self._kinds.setdefault(kind, len(self._kinds)))
        self._lines.append(fault.line or 0)

    def __iter__(self) -> Iterator[Fault]:
        """Every fault, by file and line."""
        kinds = list(self._kinds)
        for kind, line in self._ordered():
            file, column, code, detail = kinds[kind]
            yield Fault(column, code, detail, line or None, file)

    def kinds(self) -> tuple[FaultKind, ...]:
        """The faults by kind, by file and then by the first line that has it."""
        lines: list[list[int]] = [[] for _ in self._kinds]
        rows = [0] * len(self._kinds)
        order: dict[int, None] = {}
        for kind, line in self._ordered():
            order.setdefault(kind)
            rows[kind] += 1
            if line and len(lines[kind]) < FIRST_LINES and line not in lines[kind]:
                lines[kind].append(line)
        names = list(self._kinds)
        return tuple(FaultKind(*names[kind], rows[kind], tuple(lines[kind])) for kind in order)

    def _ordered(self) -> Iterator[tuple[int, int]]:
        """Kind and line of every fault, in order; stable within a line."""
        rank = [self._files[file] for file, *_ in self._kinds]
        pairs = list(zip(self._kind_of, self._lines, strict=True))
        pairs.sort(key=lambda pair: (rank[pair[0]], pair[1]))
        yield from pairs
