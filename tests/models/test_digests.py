"""Digests of history rows outlive columns that later versions add."""

import hashlib

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
