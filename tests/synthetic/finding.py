"""Are the outlying site and the faulty pump found, and how often is anything else?

Each line of the study counts, over seeded registries, how often what is wrong by construction was
found, and how many sites or pump models that have nothing wrong were marked nevertheless.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from registry.records import EventQuery, Release
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.synthetic import registry
from registry.vocabulary import Measure
from tests.synthetic.frozen import frozen_synthetic

EVENTS = 8_000
SITES = 24
OF_CATHETERS = (("category", ("catheter",)),)
OF_PUMPS = (("category", ("pump",)),)


@dataclass(slots=True)
class Tally:
    """Over registries: how often the truth was found, and what else was marked of how many."""

    registries: int = 0
    found: int = 0
    false: int = 0
    tried: int = 0

    def add(self, marked: Iterable[str], *, tried: Iterable[str], truth: str) -> None:
        """Add one registry: what was marked of what was tried, and what should have been."""
        flagged = set(marked)
        self.registries += 1
        self.found += truth in flagged
        self.false += len(flagged - {truth})
        self.tried += len(set(tried) - {truth})


@dataclass(slots=True)
class Study:
    """The lines of the table, by what was asked."""

    lines: dict[str, Tally] = field(default_factory=dict)

    def add(self, seed: int, *, events: int = EVENTS, sites: int = SITES) -> None:
        """Make, freeze and ask one registry."""
        made = registry(events=events, sites=sites, seed=seed)
        site, model = (
            made.truth["outlying_site"]["code"],
            made.truth["faulty_pump_model"]["model"],
        )
        with tempfile.TemporaryDirectory() as folder:
            frozen = frozen_synthetic(Path(folder), made)
            for named, standardise in (
                ("crude", ()),
                ("standardised by drug and age", ("age_band", "drug")),
            ):
                funnel = ask(frozen, Measure.FUNNEL, where=OF_CATHETERS, standardise=standardise)
                for limits, signals in (
                    ("95", {"above-95", "above-998"}),
                    ("99.8", {"above-998"}),
                ):
                    self._line(f"funnel, {named}: site above the {limits} % limit").add(
                        (str(row["site"]) for row in funnel.rows if row["signal"] in signals),
                        tried=(str(row["site"]) for row in funnel.rows if row["expected"]),
                        truth=site,
                    )
            pairs = ask(
                frozen, Measure.SIGNALS, where=OF_PUMPS, group_by=("pump_model", "category")
            )
        for column, named in (
            ("outlier", "outlier rule: pump model"),
            ("signal", "disproportionality: pump model"),
        ):
            self._line(named).add(
                (str(row["pump_model"]) for row in pairs.rows if row[column]),
                tried=(str(row["pump_model"]) for row in pairs.rows),
                truth=model,
            )

    def _line(self, named: str) -> Tally:
        return self.lines.setdefault(named, Tally())

    def table(self) -> str:
        """The table as it stands in the docs."""
        written = [
            "| what is marked | registries | found | false alarms | of |",
            "|---|---|---|---|---|",
        ]
        for named, line in self.lines.items():
            share = f"{line.false} ({100 * line.false / line.tried:.1f} %)"
            written.append(
                f"| {named} | {line.registries} | {line.found} | {share} | {line.tried} |"
            )
        return "\n".join(written)


def ask(frozen: Frozen, measure: Measure, **query: object) -> Release:
    """The true answer to a question."""
    return _exact(EventQuery(**query), measure, frozen)  # type: ignore[arg-type]
