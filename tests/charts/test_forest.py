"""The registry's own figures beside published ones."""

import pytest

from registry.charts import chart_of
from registry.charts.points import has_literature, short_source
from tests.charts.answers import answer, literature, rate

PUBLISHED = {"value": 1.1, "ci_lower": 0.8, "ci_upper": 1.6, "source": "Taira 2013", "year": 2013}


def drawn(release):
    return chart_of(release).spec["datasets"]["rows"]


def test_published_figures_stand_below_the_row_that_they_are_about():
    rows = [{"category": each, **rate(30, 9000.0, 3.3)} for each in ("pump", "catheter")]
    beside = [{"complication": None, "category": "catheter", **PUBLISHED}]

    found = drawn(answer("rates", rows, group_by=("category",), literature=beside))

    assert [(row["chart_own"], row["rate"]) for row in found] == [
        (True, 3.3),
        (True, 3.3),
        (False, 1.1),
    ]


def test_answer_of_one_row_has_all_that_was_published():
    release = answer("rates", [rate(30, 9000.0, 3.3)], literature=[PUBLISHED, PUBLISHED])

    assert [row["chart_label"] for row in drawn(release)] == [
        "This registry",
        "Taira 2013",
        "Taira 2013 (2)",
    ]


def test_hidden_rate_stands_as_a_word_beside_the_published():
    rows = [{"complication": "catheter-migration", **rate(None, None, None)}]

    own, *published = drawn(
        answer(
            "rates", rows, group_by=("complication",), literature=literature().meta["literature"]
        )
    )

    assert (own["rate"], own["chart_absent"], own["chart_text"]) == (None, "hidden", "")
    assert [row["chart_absent"] for row in published] == ["", ""]


@pytest.mark.parametrize(
    ("group_by", "units", "told"),
    [
        (("complication",), ("pump-months", "pump-months"), True),
        (("complication",), ("pump-months", "refills"), False),
        (("complication", "sex"), ("pump-months", "pump-months"), False),
    ],
)
def test_figures_are_compared_only_in_one_unit_and_by_complication(group_by, units, told):
    rows = [
        {name: f"{name}-{place}" for name in group_by} | rate(30, 9000.0, 3.3, unit=unit)
        for place, unit in enumerate(units)
    ]
    beside = [{"complication": "complication-0", **PUBLISHED}]

    assert has_literature(answer("rates", rows, group_by=group_by, literature=beside)) is told


@pytest.mark.parametrize(
    ("source", "short"),
    [
        ("Taira et al. (2013), Neuromodulation", "Taira et al. 2013"),
        ("Motta and Antonello 2014", "Motta and Antonello 2014"),
        ("", "Published"),
    ],
)
def test_source_is_short(source, short):
    assert short_source({"source": source}) == short
