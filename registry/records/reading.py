"""How tables, sentences and pictures read the rows of a measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

Cell = str | int | float | bool | None

REFERENCE_NOTE = "Reference."
"""The note of the row of a comparison that the others are compared with: it has no other mark."""

OTHERS = "others"
"""What is named as the reference of a comparison of each row with all others together."""


class PictureKind(Enum):
    """The kinds of pictures; estimates are drawn by their groupings."""

    ESTIMATES = auto()
    CURVES = auto()
    RATIOS = auto()
    FUNNEL = auto()
    TREND = auto()
    PAIRS = auto()
    CASCADES = auto()
    PLACES = auto()


@dataclass(frozen=True, slots=True)
class Estimated:
    """The columns of an estimate, its limits, and the counts behind it."""

    value: str
    lower: str | None = None
    upper: str | None = None
    of: tuple[str, str, str] | None = None
    share: bool = False

    @property
    def counted(self) -> bool:
        """Whether the value is a count, so that a suppressed one is known to be small."""
        return self.lower is None

    def limits_of(self, row: Mapping[str, Cell]) -> tuple[Cell, Cell]:
        """The columns of the limits; empty where the measure has none."""
        if self.lower is None or self.upper is None:
            return None, None
        return row[self.lower], row[self.upper]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What tables and pictures need of a measure besides its columns.

    picture: the kind of its picture. estimate: the columns of one number a row, where rows are
    drawn as such. axis, starts_at: the title of a curve's axis, and where the curve starts. shares:
    whether its limits are shares. of_all: whether the denominator is the population at risk.
    says_method: whether its method is more than counting. has_level: whether its limits have a
    level. strongest_by: the column by which a page lists the strongest rows first.
    """

    picture: PictureKind
    estimate: Estimated | None = None
    axis: str = ""
    starts_at: float = 1.0
    shares: bool = False
    of_all: bool = False
    says_method: bool = True
    has_level: bool = True
    strongest_by: str | None = None


PLAIN = Reading(picture=PictureKind.ESTIMATES)
"""The default: rows without an estimate."""
