"""What the attack's report says: refused questions, and what totals alone lead to."""

import numpy as np

from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.judging import Findings
from tests.disclosure.attack.record import Record
from tests.disclosure.attack.report import report
from tests.disclosure.attack.servers import Reply
from tests.disclosure.attack.utility import BANDS, Usefulness, session


class OneBesideADrug:
    """Answers a breakdown by complication, and refuses what is finer beside a drug."""

    unit = "patients"

    def __init__(self, *, refuses: bool) -> None:
        self.refuses = refuses

    def reply(self, measure, asked):
        if self.refuses and asked["group_by"] != "complication":
            return Reply(422, code="not-available-at-this-detail")
        hidden = {"rate": None, "events": None} if self.refuses else {"rate": 1.0, "events": 12}
        told = {"rate": 2.0, "events": 36}
        names = asked["group_by"].split(",")
        return Reply(200, [dict.fromkeys(names, "a") | told, dict.fromkeys(names, "b") | hidden])


def seen(asked=()):
    return Usefulness({band: [] for band in BANDS}, dict.fromkeys(BANDS, 0), session=dict(asked))


def test_refused_questions_are_none_and_answered_ones_tell_shares():
    found = session(
        Asker(OneBesideADrug(refuses=True)), Asker(OneBesideADrug(refuses=False)), release="first"
    )

    assert found["complication",] == (2, 1, 0.75)
    assert found["year",] is None
    assert found["category", "period"] is None


def test_the_report_says_refused_where_every_registry_refuses():
    asked = {("complication",): (2, 1, 0.75), ("year",): None}
    lines = report({800: [Record(usefulness=seen(asked))] * 2}).lines

    assert "| complication | 4 | 50 | 75 |" in lines
    assert "| year | refused | | |" in lines


def test_the_report_tells_what_totals_alone_lead_to():
    size = np.tile([1, 2, 3, 4, 0, 0], 50)
    nothing, alike = np.full(size.size, np.nan), np.ones(size.size)
    found = {
        "D": Findings.of(size, nothing, size, alike),
        "F": Findings.of(size, nothing, nothing, np.array([0.0, 0.4, 1.2, 1.8, 2.5])[size]),
        "G 1": Findings.of(size, nothing, size, alike),
    }

    lines = report({800: [Record(usefulness=seen(), findings=found)] * 2}).lines

    attacked, by_totals, released = lines[2:5]
    assert "| +75.0 | +0.0 | 5 |" in attacked
    assert "| +75.0 | +75.0 | 20 |" in by_totals
    assert "| +75.0 |  | 20 |" in released


def test_the_report_says_where_no_small_cell_is_hidden_of_those_planted():
    """As in large registries, where the table that is planted in has none."""
    nothing = Findings.of(np.array([0, 12]), *(np.full(2, np.nan) for _ in range(3)))
    releases = [nothing] * 22
    record = Record(usefulness=seen(), insider=releases, naive_insider=releases)

    lines = report({50_000: [record] * 2}).lines

    assert any("| H, planted: no small cell is hidden | 0 |" in line for line in lines)
