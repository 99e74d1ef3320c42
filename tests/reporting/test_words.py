"""The title of an answer names what was asked, filters and all."""

from pathlib import Path

import pytest

from registry.records import Window
from registry.reporting.words import sentences
from registry.vocabulary import Measure
from tests.reporting.asking import Asker
from tests.snapshot.rows import shipped_terms

DRUGS = (("drug", ("baclofen", "morphine")),)


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(tmp_path)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "Rates of all complications"),
        ({"where": DRUGS}, "Rates of all complications; drug: Baclofen or Morphine"),
        (
            {"group_by": ("sex",), "where": (("category", ("catheter",)), *DRUGS)},
            "Rates of Catheter problem by sex; drug: Baclofen or Morphine",
        ),
        (
            {"where": (("severity", ("3", "not-recorded")), ("site", ("LIS-1",)))},
            "Rates of all complications; severity: Severe or not recorded; site: LIS-1",
        ),
        (
            {"where": (("age_band", ("18-24", "25-29", "30-34", "35-39")),)},
            "Rates of all complications; age band at implant: 4 values",
        ),
        (
            {"where": (("category", ("infection",)), ("complication", ("catheter-kink",)))},
            "Rates of no complication",
        ),
        (
            {"where": (("category", ("catheter",)), ("complication", ("catheter-kink",)))},
            "Rates of Catheter kink",
        ),
        (
            {"where": (("category", ()), ("drug_class", ()))},
            "Rates of no complication; drug class: no value",
        ),
        ({"years": (2019, 2019)}, "Rates of all complications; in 2019"),
        ({"years": (2015, 2019)}, "Rates of all complications; from 2015 to 2019"),
        ({"years": (2015, None)}, "Rates of all complications; from 2015"),
        ({"years": (None, 2019)}, "Rates of all complications; to 2019"),
        (
            {"windows": (Window(0, 3), Window(13))},
            "Rates of all complications; months since implant: 0-3 or 13-",
        ),
        (
            {"windows": (Window(0, 3),), "group_by": ("window",)},
            "Rates of all complications by months since implant",
        ),
    ],
)
def test_title_names_the_filters(asker: Asker, query: dict, expected: str) -> None:
    assert sentences.title(asker.question(Measure.RATES, **query), shipped_terms()) == expected
