"""What the reader of a file took differently from how it was written, counted for its sender."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum


class ReadAs(Enum):
    """The ways in which a cell is read other than as it is written; the value says it in words."""

    DATED = "that a spreadsheet had turned into dates"
    SPELLED = "by another spelling, label or name of a code"
    WHOLE = "as whole numbers, written with a point or comma and zeros"
    GROUPED = "as whole numbers, with thousands apart or in other digits"
    BARE = "without an apostrophe or an invisible mark around them"
    SPLIT = "as lists separated otherwise than by semicolons"
    TRANSLATED = "by the mapping of words"
    EMPTY = "as empty, for a word that says that nothing is recorded"


@dataclass(slots=True)
class FileReading:
    """How one file was read: the line of its header, and the cells read differently, by way.

    header_line: where the column names stand; 0 until they are found. hidden_rows: how many rows a
    workbook does not show. words_for_empty: the known words for "nothing recorded" that stand in
    columns where they are no answer.
    """

    header_line: int = 0
    hidden_rows: int = 0
    counts: Counter[ReadAs] = field(default_factory=Counter)
    words_for_empty: set[str] = field(default_factory=set)

    def sentences(self) -> list[str]:
        """What was read differently, a sentence each; none where the file is as documented."""
        said = []
        if self.header_line > 1:
            said.append(f"took line {self.header_line} as the column names")
        if self.hidden_rows == 1:
            said.append("read 1 row that the workbook hides")
        elif self.hidden_rows:
            said.append(f"read {self.hidden_rows:,} rows that the workbook hides")
        for way in ReadAs:
            number = self.counts[way]
            if number:
                cells = "1 cell" if number == 1 else f"{number:,} cells"
                said.append(f"read {cells} {way.value}")
        return said
