"""A small registry's trees, and keys of records, for every test of the room."""

import secrets
from collections.abc import Mapping

import pytest

from registry.disclosure import (
    Keyed,
    Policy,
    Protection,
    Tree,
    record_key,
    window_tree,
    year_tree,
)

K1 = bytes(range(32))
K2 = bytes(range(100, 132))
RELEASE = "0" * 64


@pytest.fixture
def trees() -> Mapping[str, Tree]:
    """Trees small enough to see: some complications apart, two drugs alone."""
    listed = (
        Tree.grouped(
            "complication",
            {
                "kink": "catheter",
                "leak": "catheter",
                "tear": "catheter",
                "stall": "pump",
                "end-of-service": "pump",
                "overdose": "drug-effect",
                "death": "consequence",
            },
            blanks=False,
            apart=("end-of-service", "death"),
        ),
        year_tree(2013, 2024),
        window_tree(),
        Tree.flat("severity", ("1", "2", "3", "4", "5")),
        Tree.flat("serious", ("yes", "no")),
        Tree.flat("outcome", ("recovered", "fatal")),
        Tree.flat("seriousness", ("death", "disability", "none")),
        Tree.flat("intervention", ("imaging", "refill")),
        Tree.grouped(
            "drug",
            {
                "morphine": "opioid",
                "fentanyl": "opioid",
                "hydromorphone": "opioid",
                "baclofen": "gabab-agonist",
                "saline": "none",
            },
        ),
        Tree.grouped("age_band", {"0-5": "child", "6-11": "child", "40-64": "adult"}),
        Tree.grouped("indication", {"crps": "pain-noncancer", "stroke": "spasticity-cerebral"}),
        Tree.flat("sex", ("female", "male")),
        Tree.flat("site", ("CLINIC-A", "CLINIC-B", "CLINIC-C"), blanks=False),
    )
    return {tree.name: tree for tree in listed}


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def protection(policy) -> Protection:
    return Protection.under(K2, release=RELEASE, policy=policy)


@pytest.fixture
def keyed():
    """Make a set of n records with random ids, as its number and its sums of keys."""

    def of(n: int) -> Keyed:
        keys = [record_key(K1, secrets.token_bytes(16)) for _ in range(n)]
        return Keyed(n, sum(high for high, _low in keys), sum(low for _high, low in keys))

    return of
