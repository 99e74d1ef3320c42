"""Digests of history rows outlive columns that later versions add."""

import hashlib
from datetime import datetime, timedelta, timezone
from uuid import UUID

from registry.models.digests import SealDigest


def digest_of(*rows):
    digest = SealDigest()
    for row in rows:
        digest.add("site", row)
    return digest


def test_columns_without_a_value_change_no_digest():
    before = digest_of({"code": "HERE-1"})
    after = digest_of(
        {"code": "HERE-1", "words": {}, "list": [], "text": "", "no": False, "n": None}
    )

    assert after.hexdigest() == before.hexdigest()
    assert after.is_of(before.hexdigest())


def test_digest_in_which_empty_json_was_taken_in_still_holds():
    once = hashlib.sha256(b'["site",{"code":"HERE-1","words":{}}]').hexdigest()

    assert digest_of({"code": "HERE-1", "words": {}}).is_of(once)
    assert not digest_of({"code": "HERE-2", "words": {}}).is_of(once)
    assert not digest_of({"code": "HERE-1", "words": {"a": "b"}}).is_of(once)


def test_zero_is_a_value():
    assert digest_of({"months": 0}).hexdigest() != digest_of({}).hexdigest()


def test_instants_are_told_in_utc_sets_in_order_and_the_rest_as_text():
    here = datetime(2026, 12, 1, 3, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    row = {"at": here, "done": frozenset({"b", "a"}), "id": UUID(int=7), "n": 0, "yes": True}

    text = (
        '["site",{"at":"2026-12-01T01:00:00.000005+00:00","done":["a","b"],'
        '"id":"00000000-0000-0000-0000-000000000007","n":0,"yes":true}]'
    )
    assert digest_of(row).hexdigest() == hashlib.sha256(text.encode()).hexdigest()
    assert digest_of(row, row).hexdigest() == hashlib.sha256(2 * text.encode()).hexdigest()
