"""A site's own pattern of keys: what it takes, and which patterns no site may declare."""

import random

import pytest

from registry.deidentify import faults_against, made_key, pattern_faults
from registry.deidentify.identifiers import rule_against
from registry.records.key_patterns import KeyPattern

PATTERN = KeyPattern("KSG-", 4)


@pytest.mark.parametrize("key", ["KSG-0000", "KSG-0001", "KSG-9999", "", "p-bcdfghjk"])
def test_pattern_takes_its_own_keys_and_those_of_the_registry(key):
    assert faults_against(PATTERN, key, "source_id") == ()


@pytest.mark.parametrize(
    "key",
    [
        *("KSG-001", "KSG-00001", "ksg-0002", "KSG0002", "4711", "KSG-000a", "xKSG-0002"),
        *("KSG-0002 ", "KSG-\u0660\u0660\u0660\u0661", "p-bcdfghj", "p-bcdfghja"),
    ],
)
def test_pattern_takes_nothing_else_and_says_what_it_takes(key):
    (fault,) = faults_against(PATTERN, key, "implant")

    assert (fault.column, fault.code) == ("implant", "unlike-the-pattern")
    assert "KSG- and 4 digits, such as KSG-0001" in fault.detail
    assert key not in fault.detail


def test_site_without_a_pattern_takes_any_key():
    assert faults_against(None, "p-17", "source_id") == ()


@pytest.mark.parametrize("prefix", ["p", "i", "e"])
def test_every_key_that_the_registry_makes_is_taken(prefix):
    assert [key for key in (made_key(prefix) for _ in range(500)) if not_taken(key)] == []


def not_taken(key):
    return faults_against(PATTERN, key, "source_id")


@pytest.mark.parametrize(
    ("prefix", "digits"), [("KSG-", 5), ("p", 1), ("T4-", 3), ("pat.", 4), ("BE_19-", 2), ("-", 5)]
)
def test_pattern_of_no_identifier_can_be_declared(prefix, digits):
    assert pattern_faults(prefix, digits, site="BERN") == ()


def test_prefix_may_begin_with_the_code_of_the_site():
    assert pattern_faults("BERN-", 4, site="BERN") == ()
    assert [fault.code for fault in pattern_faults("BERN-", 4, site="GENEVA")] == [
        "identifier-found"
    ]


@pytest.mark.parametrize(
    ("prefix", "digits", "rule"),
    [
        ("Mueller-", 3, "name"),
        ("kvnr", 4, "labelled-number"),
        ("SN-", 2, "labelled-number"),
        ("ngv", 3, "personal-number"),
        ("04-03-", 2, "date"),
        ("0304-", 2, "date"),
        ("dec-", 4, "date"),
        ("12-34-", 3, "telephone"),
    ],
)
def test_pattern_whose_keys_would_identify_is_refused_by_its_rule(prefix, digits, rule):
    (fault,) = pattern_faults(prefix, digits, site="BERN")

    assert (fault.column, fault.code) == ("key_prefix", "identifier-found")
    assert f"(rule: {rule})" in fault.detail
    assert prefix not in fault.detail


@pytest.mark.parametrize(
    ("prefix", "digits", "columns"),
    [
        ("", 3, ["key_prefix"]),
        ("K1", 3, ["key_prefix"]),
        ("K 1-", 3, ["key_prefix"]),
        ("K" * 21, 3, ["key_prefix"]),
        ("K-", 0, ["key_digits"]),
        ("K-", 6, ["key_digits"]),
        ("", 0, ["key_prefix", "key_digits"]),
    ],
)
def test_pattern_is_a_prefix_and_one_to_five_digits(prefix, digits, columns):
    assert [fault.column for fault in pattern_faults(prefix, digits, site="BERN")] == columns


@pytest.mark.parametrize("prefix", ["KSG-", "p", "dec-", "12-", "0304-", "Meier-", "ngv", "1.2."])
def test_one_key_of_five_digits_stands_for_all(prefix):
    """Which `KeyPattern.kinds` relies on."""
    numbers = [0, 1961, 10119, 20112, 40361, 99999, *random.Random(7).sample(range(100_000), 300)]
    rules = {rule_against(f"{prefix}{number:05}") for number in numbers}

    assert len(rules) == 1
