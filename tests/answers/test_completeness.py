"""The completeness of an answer in words."""

import pytest

from registry.answers.completeness import completeness_of, whole

EXACT = {
    "profile": "exact",
    "completeness": {
        "about": "Of all pumps.",
        "follow_up": {
            "devices": 1204,
            "in_follow_up": 940,
            "lost": 60,
            "share_in_follow_up": 0.94,
            "share_of_time": 0.97,
        },
        "complete_to": {
            "sites_with_a_closed_round": 2,
            "of": 3,
            "first": "2025-03-05",
            "last": "2026-01-12",
        },
        "denominators": {"sites": 2, "of": 3, "share_of_sites": 0.667, "share_of_time": 0.9},
        "not_recorded": [
            {"dimension": "drug", "title": "Drug", "of": "devices", "share": 0.044},
            {"dimension": "severity", "title": "Severity", "of": "events", "share": None},
        ],
    },
}


def test_the_block_tells_every_part_in_words():
    block = completeness_of(EXACT)

    assert block.about == "Of all pumps."
    assert dict(block.lines) == {
        "In follow-up at the last closed round": (
            "94 % (940 in follow-up, 60 lost, of 1,204 devices)"
        ),
        "Device time observed, of that possible": "97 %",
        "Data complete to": "rounds of 5 March 2025 to 12 January 2026, closed by 2 of 3 sites",
        "Sites with a denominator": "2 of 3 (67 %)",
        "Known device time in the denominators": "90 %",
        "Drug not recorded": "4 % of devices",
        "Severity not recorded": "nothing counted",
    }


def test_what_a_protected_answer_does_not_tell_is_hidden_and_never_zero():
    nothing = dict.fromkeys(EXACT["completeness"]["follow_up"])
    told = EXACT["completeness"] | {
        "follow_up": nothing,
        "complete_to": {"sites_with_a_closed_round": 0, "of": 3, "first": None, "last": None},
        "denominators": {"sites": 0, "of": 0, "share_of_sites": None, "share_of_time": None},
    }

    lines = dict(completeness_of({"profile": "protected", "completeness": told}).lines)

    assert lines["In follow-up when last heard of"] == "hidden"
    assert lines["Device time observed, of that possible"] == "hidden"
    assert lines["Severity not recorded"] == "hidden"
    assert lines["Data complete to"].startswith("no site has closed a follow-up round")
    assert "Known device time in the denominators" not in lines


def test_one_round_is_told_by_its_day():
    one = EXACT["completeness"]["complete_to"] | {"last": "2025-03-05"}
    told = EXACT | {"completeness": EXACT["completeness"] | {"complete_to": one}}

    lines = dict(completeness_of(told).lines)
    assert lines["Data complete to"] == "the round of 5 March 2025, closed by 2 of 3 sites"


def test_an_answer_without_completeness_has_no_block():
    assert completeness_of({"profile": "exact"}) is None


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.004, "under 1 %"), (0.5, "50 %"), (0.996, "over 99 %"), (1, "100 %")],
)
def test_a_share_is_told_as_none_or_all_only_where_it_is(share, words):
    assert whole(share) == words
