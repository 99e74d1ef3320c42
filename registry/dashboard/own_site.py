"""A member's own site beside all sites: exact beside protected, and the site in its funnel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from registry.answers.asking import Panel, with_set
from registry.answers.numbers import limits_of, written
from registry.answers.page_question import api_address
from registry.answers.pictures import size_of
from registry.answers.tables import SIGNALS, status_in_words
from registry.charts import chart_of
from registry.records import Cell
from registry.vocabulary import Measure

NOT_JUDGED = "not-judged"
"""The signal of a site in a funnel without limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSite:
    """The own sites in the funnel of all: a sentence for each, and the picture.

    refused: the panel of the funnel, where there is none.
    """

    codes: str
    said: Sequence[str]
    picture: str
    size: tuple[int, int]
    alt: str
    refused: Any


def own_site_of(panel: Panel | None, sites: frozenset[str], params: QueryDict) -> OwnSite | None:
    """The own sites among all; None for a reader without any beside."""
    if panel is None:
        return None
    codes = ",".join(sorted(sites))
    if panel.release is None:
        return OwnSite(codes=codes, said=(), picture="", size=(0, 0), alt="", refused=panel.refused)
    rows = {str(row["site"]): row for row in panel.rows}
    return OwnSite(
        codes=codes,
        said=[place_of(site, rows.get(site)) for site in sorted(sites)],
        picture=api_address(Measure.FUNNEL, with_set(params, format="svg")),
        size=size_of(panel.release),
        alt=chart_of(panel.release).alt,
        refused=None,
    )


def place_of(site: str, row: Mapping[str, Cell] | None) -> str:
    """A site's place in the funnel, in a sentence."""
    if row is None:
        return f"{site} has no device time or event in this answer."
    if row["ratio"] is None:
        return f"{site}: {status_in_words(row).lower()}. Hidden does not mean none."
    signal = str(row.get("signal") or "within")
    limits = limits_of(row.get("lower_95"), row.get("upper_95"))
    between = f", with 95 % limits of {limits}" if limits else ""
    if signal == NOT_JUDGED:
        between = "; too few sites are shown to say whether that is unusual"
    return (
        f"{site}: {SIGNALS.get(signal, signal).lower()}. {written(row['events'])} events where "
        f"its device time lets expect {written(row['expected'])}: a ratio of "
        f"{written(row['ratio'])}{between}."
    )


def is_within(site: str, panel: Panel | None) -> bool | None:
    """Whether a site lies within the 95 % limits of the funnel; None where it is not told."""
    row = panel.row_of(site=site) if panel and panel.release else None
    if row is None or row["ratio"] is None or row.get("signal") == NOT_JUDGED:
        return None
    return str(row.get("signal") or "within") == "within"
