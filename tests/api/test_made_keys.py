"""Keys that the registry makes for single POSTs that can be repeated."""

import pytest

from registry.deidentify import identifies
from tests.api.test_devices import BODIES

pytestmark = pytest.mark.django_db

EVENT = {"site": "HERE-1", "complication": "sedation", "year": 2020}
POSTS = [
    ("patients", BODIES["patients"], ("source_id",)),
    ("implants", BODIES["implants"], ("patient", "implant")),
    ("events", EVENT, ("source_id",)),
]


def without(body, names):
    return {name: value for name, value in body.items() if name not in names}


@pytest.mark.parametrize(("kind", "body", "keys"), POSTS)
def test_key_is_made_and_shown_and_the_same_again(kind, body, keys, as_reporter):
    def post():
        return as_reporter.post(
            f"/api/v1/{kind}/", without(body, keys), format="json", HTTP_IDEMPOTENCY_KEY="k-1"
        )

    first, again = post(), post()

    assert first.status_code == 201, first.content
    for name in keys:
        assert first.json()[name][1] == "-"
        assert not identifies(first.json()[name])
    assert again.json() == first.json()
    assert len(as_reporter.get(f"/api/v1/{kind}/").json()["results"]) == 1


@pytest.mark.parametrize(("kind", "body", "keys"), POSTS[:2])
def test_without_an_idempotency_key_a_key_is_required(kind, body, keys, as_reporter):
    answer = as_reporter.post(f"/api/v1/{kind}/", without(body, keys), format="json")

    assert answer.status_code == 400
    faults = {fault["pointer"]: fault for fault in answer.json()["errors"]}
    for name in keys:
        assert faults[f"/{name}"]["code"] == "required"
        assert "Idempotency-Key" in faults[f"/{name}"]["detail"]


@pytest.mark.parametrize(("kind", "body", "keys"), POSTS)
def test_a_key_that_is_given_is_kept(kind, body, keys, as_reporter):
    sent = {**body, **dict.fromkeys(keys, "k-7")}

    answer = as_reporter.post(f"/api/v1/{kind}/", sent, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

    assert {answer.json()[name] for name in keys} == {"k-7"}
