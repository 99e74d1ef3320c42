"""A site's own headings and words, read from JSON."""

import json

import pytest

from registry.interchange.site_words import SiteWords, site_words
from registry.records import Refusal


def fault_of(said):
    with pytest.raises(Refusal) as refusal:
        site_words(json.dumps(said))
    assert "Müller" not in str(refusal.value)
    return {(fault.column, fault.code) for fault in refusal.value.faults}


def test_a_mapping_names_headings_and_words():
    words = site_words('{"columns": {"Geschlecht": "sex"}, "Station": "", "sex": {"W": "Female"}}')

    assert words.headings == {"Geschlecht": "sex", "Station": ""}
    assert words.words == {"sex": {"W": "Female"}}
    assert site_words(json.dumps(words.as_json())) == words


def test_one_mapping_over_another_holds():
    ours = SiteWords({"A": "sex"}, {"sex": {"W": "female"}})
    theirs = SiteWords({"A": "drug", "B": "drug"}, {"sex": {"W": "male", "M": "male"}})

    both = ours.over(theirs)

    assert both.headings == {"A": "sex", "B": "drug"}
    assert both.words == {"sex": {"W": "female", "M": "male"}}


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ([], ("mapping", "bad-mapping")),
        ({"sex": 3}, ("mapping", "bad-mapping")),
        ({"sex": {"Müller": 3}}, ("mapping", "bad-mapping")),
        ({"Müller": {"a": "b"}}, ("mapping", "unknown-column")),
        ({"Müller": "no-column"}, ("mapping", "unknown-column")),
        ({"Patient name": "source_id"}, ("mapping", "identifier-found")),
        ({"sex": {"Müller": "woman"}}, ("sex", "unknown-code")),
        ({"sex": {"Müller 19610423": "female"}}, ("sex", "identifier-found")),
        ({"implant": {"Müller": "i1"}}, ("implant", "bad-mapping")),
        ({"sex": {f"w{n}": "female" for n in range(2001)}}, ("mapping", "too-many-words")),
    ],
)
def test_a_mapping_with_faults_is_refused_without_its_words(said, fault):
    assert fault in fault_of(said)


def test_no_json_is_refused():
    with pytest.raises(Refusal, match="no JSON"):
        site_words("{Müller")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('{"sex": {"M": "male"}, "sex": {"W": "female"}}', "mapping"),
        ('{"sex": {"M": "male", "M": "female"}}', "mapping"),
        ('{"sex": {"M": "male", "m ": "female"}}', "sex"),
        ('{"columns": {"Alter": "age_band", "alter": "sex"}}', "mapping"),
    ],
)
def test_nothing_of_a_mapping_is_lost_where_it_says_two_things(text, column):
    with pytest.raises(Refusal) as refusal:
        site_words(text)

    assert [(fault.column, fault.code) for fault in refusal.value.faults] == [
        (column, "bad-mapping")
    ]


def test_words_that_read_the_same_may_mean_the_same():
    words = {"sex": {"M": "male", "m": "Male"}, "Alter": "age_band", "ALTER": "age_band"}

    assert site_words(json.dumps(words)).words["sex"] == {"M": "male", "m": "Male"}
