"""Keys that identify: a corpus of what is refused, by which rule, and of what passes."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from registry.deidentify import cells, identifiers
from registry.deidentify.identifiers import made_key, rule_against
from registry.synthetic.columns import keys

CORPUS = Path(__file__).with_name("key_corpus.csv")
SAMPLES = Path(__file__).parent.parent / "samples"
RULES = {rule.name for rule in vars(identifiers).values() if isinstance(rule, identifiers.KeyRule)}


def corpus():
    with CORPUS.open(encoding="utf-8", newline="") as file:
        return [(row["key"], row["rule"]) for row in csv.DictReader(file)]


def found(key):
    rule = rule_against(key)
    return rule.name if rule else ""


def test_corpus_is_judged_as_it_says():
    wrong = {key: (rule, found(key)) for key, rule in corpus() if found(key) != rule}

    assert wrong == {}


def test_corpus_has_keys_enough_of_every_kind():
    kinds = Counter(rule for _key, rule in corpus())

    assert set(kinds) == RULES | {""}
    assert dict(kinds) == COUNTS
    assert len({key for key, _rule in corpus()}) == sum(COUNTS.values())


COUNTS = {
    "": 159,
    "date": 64,
    "e-mail": 4,
    "labelled-number": 36,
    "long-number": 29,
    "name": 127,
    "personal-number": 10,
    "telephone": 21,
}
"""Keys by the rule that refuses them; the empty name passes."""


@pytest.mark.parametrize("prefix", ["p", "i", "e"])
def test_keys_that_the_registry_makes_meet_no_rule(prefix):
    made = [made_key(prefix) for _ in range(2_000)]

    assert [key for key in made if rule_against(key)] == []
    assert [key for key in made if cells.source_id(key) != key] == []
    assert len(set(made)) == len(made)


def test_keys_of_made_up_rows_meet_no_rule():
    made = [key for suffix in ("-p", "-d", "-e") for key in keys(np.arange(5_000), suffix)]

    assert [key for key in made if rule_against(key)] == []


def test_keys_of_the_published_cohort_meet_no_rule():
    named = ("source_id", "implant", "patient", "caused_by")
    for path in SAMPLES.glob("taira-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            given = {row.get(name) or "p1" for row in csv.DictReader(file) for name in named}
        assert len(given) > 50
        assert [key for key in given if rule_against(key)] == []


def test_fast_way_takes_nothing_that_a_rule_refuses():
    refused = [key for key, rule in corpus() if rule]

    assert [key for key in refused if identifiers._PLAINLY_RANDOM.fullmatch(key)] == []


def test_key_may_begin_with_the_code_of_its_own_site():
    assert rule_against("TAIRA-A-p003", site="TAIRA-A") is None
    assert rule_against("taira-a-p003", site="TAIRA-A") is None
    assert rule_against("TAIRA-A-p003", site="BERN") is identifiers.NAME
    assert rule_against("TAIRA-A-meier", site="TAIRA-A") is identifiers.NAME


def test_message_names_the_rule_and_the_mend_and_never_the_key():
    for key, rule in corpus():
        if rule:
            with pytest.raises(cells.Unreadable) as refusal:
                cells.source_id(key)
            assert refusal.value.code == "identifier-found"
            assert f"(rule: {rule})" in refusal.value.detail
            assert "use a random key" in refusal.value.detail
            assert key not in refusal.value.detail
