"""The lines of patients' lives with each other: sums over patients."""

from collections import Counter
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from registry.snapshot.life_pairs import EVENT, STEP, life_pairs
from registry.snapshot.selection import Selection
from registry.snapshot.store import Store
from tests.snapshot.rows import event, implant
from tests.snapshot.test_firsts import store

CENSORED, DIED, HAD = STEP, 3 * STEP, EVENT * STEP


def pairs(frozen: Store, *, at: tuple[str, ...] = (), per_patient: bool = False, **by: object):
    """The sums by pair of lines, and how many patients; death is the cause 2."""
    causes = [2 if each.startswith("death") else 0 for each in frozen.codes.lists["exit_status"]]
    told = life_pairs(
        frozen,
        Selection(**by),  # type: ignore[arg-type]
        clock="pump",
        per_patient=per_patient,
        causes=causes,
    )[at]
    lines = zip(told.first.tolist(), told.second.tolist(), told.pairs.tolist(), strict=True)
    found: Counter[tuple[int, int]] = Counter()
    for first, second, n in lines:
        found[first, second] += n
    return {each: n for each, n in found.items() if n}, told.patients


def expected(*patients: list[int]) -> dict[tuple[int, int], int]:
    """The same of patients' lines in plain loops; a line may be there several times."""
    found: Counter[tuple[int, int]] = Counter()
    for lines in patients:
        many = Counter(lines)
        for one, other in combinations_with_replacement(sorted(many), 2):
            found[one, other] += many[one] * many[other]
    return dict(found)


@pytest.fixture
def two(tmp_path: Path) -> Store:
    """A patient with three pumps, of which one has an event, and one with one who died."""
    return store(
        tmp_path,
        implants=[
            implant("a1", patient="a", drug="morphine"),
            implant("a2", patient="a", drug="morphine", implant_year=2018),
            implant("a3", patient="a", drug="baclofen", implant_year=2020, months_to_entry=4),
            implant("b1", patient="b", drug="baclofen", exit_status="death-related"),
        ],
        events=[event("e", on="a2", months_since_implant=5)],
    )


def test_each_patients_lines_meet_each_other(two: Store) -> None:
    found, patients = pairs(two)

    assert patients == 2
    assert found == expected([0, 0, 4, CENSORED + 24, CENSORED + 24, HAD + 5], [0, DIED + 24])


def test_rows_keep_the_devices_of_a_patient_apart(two: Store) -> None:
    found, patients = pairs(two, at=("morphine",), group_by=("drug",))

    assert patients == 1
    assert found == expected([0, 0, CENSORED + 24, HAD + 5])


def test_rows_in_which_nobody_has_several_are_left_out(two: Store) -> None:
    with pytest.raises(KeyError):
        pairs(two, at=("baclofen",), group_by=("drug",))


def test_devices_after_a_patients_first_event_are_not_there(two: Store) -> None:
    found, _ = pairs(two, per_patient=True)

    assert found == expected([0, 0, CENSORED + 24, HAD + 5], [0, DIED + 24])
