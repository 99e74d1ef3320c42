"""Protected answers: what is refused, what is shown, and that one question has one answer."""

import json
import random
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.http import QueryDict

from registry.disclosure import Form, Node, Protection
from registry.disclosure.trees import Level, Place
from registry.filters import parse_query
from registry.keys import read_keys
from registry.records import BadQuery, NoSnapshot, NotAvailableAtThisDetail, Release
from registry.reporting import protected_answers
from registry.reporting.answering import protected_answer
from registry.reporting.asking.freshness import Frozen
from registry.reporting.described import dictionary
from registry.reporting.measures import MEASURES
from registry.reporting.protected import pace
from registry.reporting.protected.trees import trees_of
from registry.reporting.protected.truths import truths_of
from registry.snapshot.schema import RECORD_KEYS, column
from registry.vocabulary import CODELISTS, CountingRule, Denominator, Measure
from tests.reporting.protecting import SITES, ask, frozen_cohort, frozen_rows, tangled_rows
from tests.snapshot.rows import event, implant

NODE_MEASURES = (Measure.COUNTS, Measure.RATES, Measure.PROPORTIONS)


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    return frozen_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    implants, events = tangled_rows(5, patients=3000)
    return frozen_rows(tmp_path_factory.mktemp("large"), events=events, implants=implants)


def as_bytes(release: Release) -> bytes:
    """All of an answer but its Python types."""
    return json.dumps(
        [release.meta, [asdict(each) for each in release.columns], list(release.rows)]
    ).encode()


# What is shown ----------------------------------------------------------------------------------


def test_cohort_is_answered_with_these_numbers_for_ever(cohort: Frozen) -> None:
    # the noise of these 400 patients under the tests' keys: other numbers mean another noise
    by_category = ask(cohort, group_by=("category",)).rows
    (rate,) = ask(cohort, Measure.RATES, where=(("category", ("catheter",)),), per=100).rows

    # true: 12, 34, 1, 0, 13, 0, 0, 1
    assert {row["category"]: row["n"] for row in by_category} == {
        "infection": None,
        "catheter": 36,
        "pump": None,
        "programming-refill": None,
        "surgical": None,
        "neurological": None,
        "drug-effect": None,
        "withdrawal": None,
    }
    assert (rate["events"], rate["exposure"]) == (34, 11330)


def test_rows_are_made_of_what_protection_shows(large: Frozen) -> None:
    terms = large.store.manifest.terms
    trees = trees_of(terms, data_as_of=large.data_as_of, policy=protected_answers.POLICY)
    codes = trees["drug"].values
    nodes = [Node.at({"drug": Place(Level.VALUE, code)}) for code in codes]
    truths = truths_of(
        nodes,
        store=large.store,
        trees=trees,
        form=Form.COUNTS,
        counting=CountingRule.PATIENTS,
    )
    protection = Protection.under(
        read_keys().noise, release=large.snapshot_id, policy=protected_answers.POLICY
    )

    rows = ask(large, group_by=("drug",)).rows

    assert [row["drug"] for row in rows] == list(codes)
    assert [row["n"] for row in rows] == [protection.show(truths[node]).count for node in nodes]
    assert {row["status"] for row in rows} == {"ok", "hidden"}


@pytest.mark.parametrize("measure", NODE_MEASURES)
def test_hidden_number_is_null_with_its_status_and_no_shown_one_is_under_the_threshold(
    large: Frozen, measure: Measure
) -> None:
    counts = {"n", "events", "numerator"}

    rows = ask(large, measure, group_by=("complication", "drug_class")).rows

    told = {row["status"] for row in rows}
    assert "suppressed" in told
    for row in rows:
        numbers = {name: row[name] for name in row if name in counts}
        hidden = row["status"] in {"suppressed", "hidden", "no_denominator"}
        assert (row["reason"] is not None) is (row["status"] == "hidden")
        assert all((cell is None) is hidden for cell in numbers.values())
        least = protected_answers.POLICY.threshold
        assert hidden or all(cell >= least for cell in numbers.values())  # type: ignore[operator]


def test_sum_of_shown_cells_is_partial_and_says_how_many_are_left_out(large: Frozen) -> None:
    drugs = ("morphine", "baclofen", "ziconotide", "fentanyl")

    (row,) = ask(large, where=(("drug", drugs),)).rows
    apart = {row["drug"]: row["n"] for row in ask(large, group_by=("drug",)).rows}

    assert apart["fentanyl"] is None
    assert row == {
        "n": sum(apart[drug] for drug in drugs[:3]),  # type: ignore[misc]
        "hidden_cells": 1,
        "reason": None,
        "status": "partial",
    }


def test_impossible_combination_is_zero(large: Frozen) -> None:
    where = (("complication", ("death",)), ("severity", ("3",)))

    assert ask(large, where=where).rows == (
        {"n": 0, "hidden_cells": 0, "reason": None, "status": "zero"},
    )
    (rate,) = ask(large, Measure.RATES, where=where).rows
    assert (rate["events"], rate["rate"], rate["status"]) == (0, None, "zero")


def test_true_zero_is_hidden_like_any_small_number(large: Frozen) -> None:
    (row,) = ask(large, where=(("complication", ("granuloma",)),)).rows

    assert row == {"n": None, "hidden_cells": 1, "reason": None, "status": "suppressed"}


def test_rate_from_under_20_events_is_unstable_and_others_are_not(large: Frozen) -> None:
    rows = ask(large, Measure.RATES, group_by=("complication", "site")[:1]).rows

    for row in rows:
        if row["events"] is not None:
            assert row["status"] == ("unstable" if row["events"] < 20 else "ok")  # type: ignore[operator]
    assert {"ok"} <= {row["status"] for row in rows}


@pytest.mark.parametrize("year", [2024, 2027, 2035])
def test_ordinary_session_is_answered_however_old_the_registry(large: Frozen, year: int) -> None:
    fields: dict[str, Any] = {"group_by": ("category", "year")}
    then = replace(large, data_as_of=datetime(year, 12, 31, tzinfo=UTC))

    by_year = ask(then, Measure.RATES, **fields).rows
    overall = ask(then, Measure.RATES, **fields | {"group_by": ("complication",)}).rows

    terms = large.store.manifest.terms.complications
    categories = {term.category for term in terms if term.in_totals}
    assert len(by_year) == len(categories) * (year - 2004)
    assert sum(row["rate"] is not None for row in overall) >= 8  # of the ten that occur
    years = ask(then, Measure.RATES, **fields | {"group_by": ("year",)}).rows
    assert any(row["rate"] is not None for row in years)
    told = {row["status"] for row in by_year}
    assert told <= {"ok", "unstable", "suppressed", "hidden", "no_denominator"}


@pytest.mark.parametrize("year", [2024, 2035])
def test_breakdown_that_is_too_long_stays_refused(
    large: Frozen, year: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = replace(large, data_as_of=datetime(year, 12, 31, tzinfo=UTC))
    monkeypatch.setattr(
        protected_answers, "POLICY", replace(protected_answers.POLICY, most_cells=100)
    )

    with pytest.raises(BadQuery) as refusal:
        ask(then, group_by=("complication", "drug"))

    assert refusal.value.faults[0].code == "too-many-cells"


def test_interval_is_wider_than_without_perturbation(large: Frozen) -> None:
    (row,) = ask(large, Measure.RATES, where=(("complication", ("catheter-kink",)),)).rows
    (wide,) = ask(
        large, Measure.RATES, where=(("complication", ("catheter-kink",)),), level=0.99
    ).rows

    assert wide["ci_lower"] < row["ci_lower"] < row["rate"] < row["ci_upper"] < wide["ci_upper"]  # type: ignore[operator]
    assert row["rate"] == pytest.approx(1000 * row["events"] / row["exposure"])  # type: ignore[operator]
    assert row["exposure"] % 10 == 0  # type: ignore[operator]
    assert row["unit"] == "catheter-months"


def test_columns_name_every_cell_in_order(large: Frozen) -> None:
    for measure in NODE_MEASURES:
        answered = ask(large, measure, group_by=("category", "sex"))
        names = [each.name for each in answered.columns]
        assert names[-3:] == ["hidden_cells", "reason", "status"]
        assert all(list(row) == names for row in answered.rows)


def test_breakdown_has_a_row_for_every_code_and_for_the_blanks(large: Frozen) -> None:
    rows = ask(large, group_by=("severity",), labels="both").rows

    assert [row["severity"] for row in rows] == [1, 2, 3, 4, 5, "not-recorded"]
    assert rows[-1]["severity_label"] == "Not recorded"


def test_procedures_by_period_are_divided_by_their_own_denominator(large: Frozen) -> None:
    fields: dict[str, Any] = {
        "where": (("category", ("infection",)),),
        "group_by": ("period",),
    }

    release = ask(large, Measure.RATES, **fields)

    assert {row["unit"] for row in release.rows} == {"procedures"}
    assert "no_denominator" not in {row["status"] for row in release.rows}
    assert any("spread evenly" in said for said in release.meta["warnings"])


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "query", "column", "nearest"),
    [
        (Measure.COUNTS, {"group_by": ("detection",)}, "detection", "root_cause"),
        (Measure.COUNTS, {"counting": CountingRule.EVENTS}, "counting", "patients"),
        (Measure.RATES, {"unit": Denominator.REFILLS}, "unit", "pump-months"),
        (
            Measure.RATES,
            {
                "where": (("category", ("infection",)),),
                "group_by": ("period",),
                "unit": Denominator.PUMP_MONTHS,
            },
            "unit",
            "procedures",
        ),
        (
            Measure.RATES,
            {"unit": Denominator.PUMP_MONTHS, "where": (("category", ("infection",)),)},
            "unit",
            "procedures",
        ),
        (
            Measure.RATES,
            {"unit": Denominator.PUMP_MONTHS, "group_by": ("year", "category")},
            "unit",
            "leave the unit out",
        ),
        *(
            (
                Measure.RATES,
                {"unit": unit, "where": (("category", ("infection",)),), "group_by": ("period",)},
                "unit",
                "procedures",
            )
            for unit in (Denominator.CATHETER_MONTHS, Denominator.REFILLS)
        ),
        (Measure.COUNTS, {"years": (2007, 2011)}, "year", "2005-2009, 2010-2014"),
        (Measure.COUNTS, {"years": (1999, 2004)}, "year", "from 2005"),
        (Measure.COVERAGE, {}, "measure", "counts, rates"),
        (Measure.CASCADES, {"where": (("sex", ("male",)),)}, "sex", "leave it out"),
        (
            Measure.CASCADES,
            {"group_by": ("category",), "where": (("complication", ("catheter-kink",)),)},
            "complication",
            "group by complication",
        ),
        (
            Measure.COUNTS,
            {"group_by": ("complication", "drug", "sex")},
            "group_by",
            "keep one of drug or sex",
        ),
    ],
)
def test_finer_question_is_refused_and_the_nearest_named(
    cohort: Frozen, measure: Measure, query: dict[str, Any], column: str, nearest: str
) -> None:
    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        ask(cohort, measure, **query)

    (fault,) = refusal.value.faults
    assert fault.column == column
    assert nearest in fault.detail
    assert fault.detail.endswith("For more, ask for an agreement: /agreement/")


@pytest.mark.parametrize("measure", Measure)
def test_measure_is_answered_only_in_a_protected_form(cohort: Frozen, measure: Measure) -> None:
    if MEASURES[measure].published:
        assert ask(cohort, measure).meta["profile"] == "protected"
        return
    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        ask(cohort, measure)
    assert refusal.value.faults[0].column == "measure"


@pytest.mark.parametrize("counting", [CountingRule.EVENTS, CountingRule.EPISODES])
@pytest.mark.parametrize("measure", [Measure.COUNTS, Measure.RATES])
def test_counting_a_patient_twice_is_refused_and_the_nearest_named(
    cohort: Frozen, measure: Measure, counting: CountingRule
) -> None:
    published = MEASURES[measure].published
    assert published is not None

    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        ask(cohort, measure, counting=counting)

    (fault,) = refusal.value.faults
    assert fault.column == "counting"
    assert published.counting[0].value in fault.detail


def test_release_frozen_under_other_keys_is_refused(cohort: Frozen, settings: Any) -> None:
    settings.REGISTRY_KEY_NOISE = "ab" * 32

    with pytest.raises(NoSnapshot) as refusal:
        ask(cohort)

    assert refusal.value.faults[0].code == "other-keys"


def test_release_frozen_without_keys_is_refused(cohort: Frozen, tmp_path: Path) -> None:
    implants, events = tangled_rows(1, patients=5)
    unkeyed = frozen_rows(tmp_path, events=events, implants=implants)
    unkeyed.store.manifest = replace(unkeyed.store.manifest, keys="")

    with pytest.raises(NoSnapshot):
        ask(unkeyed)


@pytest.mark.parametrize("key", [each.name for each in RECORD_KEYS])
def test_record_keys_can_be_neither_asked_nor_shown(large: Frozen, key: str) -> None:
    with pytest.raises(BadQuery):
        ask(large, group_by=(key,))
    with pytest.raises(BadQuery):
        ask(large, where=((key, ("1",)),))
    with pytest.raises(LookupError):
        column("implants", key)
    assert key not in {each["column"] for each in dictionary()}
    told = b"".join(as_bytes(ask(large, measure, group_by=("drug",))) for measure in NODE_MEASURES)
    assert key.encode() not in told


@pytest.mark.parametrize("hands", [{}, dict.fromkeys("ABCD", 1), {"A": 1, "B": 2, "C": 2, "D": 1}])
def test_release_with_fewer_than_three_hands_is_refused(
    tmp_path: Path, hands: dict[str, int]
) -> None:
    implants, events = tangled_rows(1, patients=5)
    shared = frozen_rows(tmp_path, events=events, implants=implants, hands=hands)

    with pytest.raises(NoSnapshot) as refusal:
        ask(shared)

    assert refusal.value.faults[0].code == "too-few-sites"


def test_three_hands_are_enough(tmp_path: Path) -> None:
    implants, events = tangled_rows(1, patients=5)
    hands = {"A": 1, "B": 2, "C": 2, "D": 3}

    assert ask(frozen_rows(tmp_path, events=events, implants=implants, hands=hands)).rows


def of_hands(root: Path, *, shared: bool) -> Frozen:
    """Kinks of sites A, B, F and G alone, which are two hands or four."""
    sites = "ABFG" * 60 + "CD" * 100
    implants = [
        implant(f"i{n:03}", component="catheter", months_followed=60, site=site)
        for n, site in enumerate(sites)
    ]
    events = [
        event(f"e{n:03}", on=f"i{n:03}", complication="catheter-kink", site=site)
        for n, site in enumerate(sites)
        if site in "ABFG"
    ]
    hands = {"A": 1, "B": 1 if shared else 2, "C": 3, "D": 4, "E": 5}
    hands |= {"F": 6, "G": 6 if shared else 7}
    return frozen_rows(root, events=events, implants=implants, sites=tuple(hands), hands=hands)


def test_events_of_two_hands_show_nowhere_but_where_the_site_is_named(tmp_path: Path) -> None:
    four, two = (of_hands(tmp_path / str(shared), shared=shared) for shared in (False, True))
    (alone,), (shared,) = ask(four).rows, ask(two).rows
    (named,) = ask(two, where=(("site", ("A",)),)).rows

    assert alone["n"] == pytest.approx(240, abs=8)
    assert (shared["n"], shared["status"], shared["reason"]) == (None, "suppressed", None)
    assert named["n"] == pytest.approx(60, abs=8)


def test_another_release_of_the_same_patients_moves_their_numbers(tmp_path: Path) -> None:
    implants, events = tangled_rows(5, patients=400)
    one = frozen_rows(tmp_path / "one", events=events, implants=implants)
    other = frozen_rows(tmp_path / "other", events=events, implants=implants, sites=(*SITES, "E"))

    by_drug = [ask(each, group_by=("drug",)).rows for each in (one, other)]

    numbers = [[row["n"] for row in rows] for rows in by_drug]
    assert numbers[0] != numbers[1]
    assert as_bytes(ask(one, group_by=("drug",))) == as_bytes(ask(one, group_by=("drug",)))


# One question, one answer -----------------------------------------------------------------------


def spelled(draw: random.Random, filters: dict[str, set[str]], trees: Any) -> QueryDict:
    """One of the ways to write a question: order, repetition, groups, complements, defaults."""
    params = QueryDict(mutable=True)
    names = list(filters)
    draw.shuffle(names)
    for name in names:
        tree, wanted = trees[name], set(filters[name])
        words = list(wanted)
        group = protected_answers.POLICY.offer(name).group  # type: ignore[union-attr]
        for code in tree.groups if group else ():
            members = tree.members(Place(Level.GROUP, code))
            if members <= wanted and code not in tree.values and draw.random() < 0.5:
                words = [word for word in words if word not in members] + [code]
        if draw.random() < 0.3:
            words += draw.choices(words, k=2)
        draw.shuffle(words)
        if draw.random() < 0.5:
            params[name] = ",".join(words)
        else:
            params.setlist(name, words)
    for name in ("sex", "component", "label_status"):
        if name not in filters and draw.random() < 0.2:
            params[name] = ",".join(trees[name].values)  # all of them is no filter
    for name, value in (
        ("counting", "patients"),
        ("labels", "code"),
        ("release", "2024Q2"),
        ("year_min", "1980"),
        ("year_max", "2099"),
    ):
        if draw.random() < 0.2:
            params[name] = value
    return params


@pytest.mark.django_db
def test_one_question_in_500_spellings_has_one_answer(large: Frozen) -> None:
    from registry import intake

    intake.load_catalogue()
    trees = trees_of(
        large.store.manifest.terms, data_as_of=large.data_as_of, policy=protected_answers.POLICY
    )
    draw = random.Random(11)
    questions: list[dict[str, set[str]]] = [
        {"drug": {str(code) for code in CODELISTS["drug"].codes()} - {"morphine"}},
        {
            "drug": {"morphine", "hydromorphone"},
            "complication": set(trees["complication"].members(Place(Level.GROUP, "pump"))),
        },
        {"complication": {"catheter-kink"}, "age_band": {"0-5", "6-11", "12-17"}},
        {"indication": trees["indication"].members(Place(Level.GROUP, "pain-cancer")) | {"stroke"}},  # type: ignore[dict-item]
        {"complication": set(trees["complication"].members(Place(Level.GROUP, "pump")))},
    ]
    for filters in questions:
        answers = set()
        for _ in range(100):
            query = parse_query(spelled(draw, filters, trees), measure=Measure.COUNTS)
            if draw.random() < 0.2:
                cache.clear()
            answers.add(as_bytes(protected_answer(query, Measure.COUNTS, large)))
        assert len(answers) == 1


def test_range_of_years_and_period_are_one_question(large: Frozen) -> None:
    answers = {
        as_bytes(ask(large, **query))
        for query in (
            {"years": (2010, 2014)},
            {"where": (("period", ("2010-2014",)),)},
            {"where": (("year", ("2010", "2011", "2012", "2013", "2014")),)},
        )
    }

    assert len(answers) == 1


def test_defaults_said_or_left_out_are_one_question(large: Frozen) -> None:
    said = {"counting": CountingRule.FIRST_EVENT, "unit": Denominator.PUMP_MONTHS, "per": 1000}

    assert as_bytes(ask(large, Measure.RATES, **said)) == as_bytes(ask(large, Measure.RATES))
    assert as_bytes(ask(large, release="2024Q2")) == as_bytes(ask(large))


def test_cell_of_a_breakdown_is_the_question_of_that_cell(large: Frozen) -> None:
    rows = ask(large, group_by=("category", "sex")).rows

    for row in rows:
        where = (("category", (str(row["category"]),)), ("sex", (str(row["sex"]),)))
        (alone,) = ask(large, where=where).rows
        assert (alone["n"], alone["status"]) == (row["n"], row["status"])


def test_answer_is_the_same_from_a_cold_and_from_a_warm_cache(large: Frozen) -> None:
    cold = as_bytes(ask(large, Measure.RATES, group_by=("drug",)))
    warm = as_bytes(ask(large, Measure.RATES, group_by=("drug",)))
    cache.clear()

    assert cold == warm == as_bytes(ask(large, Measure.RATES, group_by=("drug",)))


FRESH = """
import sys, django
django.setup()
from datetime import datetime
from pathlib import Path
from registry.reporting.asking.freshness import Frozen
from registry.snapshot.shelf import open_store
from registry.vocabulary import Measure, SnapshotKind
from tests.reporting.protecting import AS_OF, ask
from tests.reporting.test_protected import as_bytes
root, name = sys.argv[1:]
store = open_store(Path(root), name)
frozen = Frozen(store=store, kind=SnapshotKind.RELEASE, label="2024Q2", data_as_of=AS_OF)
sys.stdout.buffer.write(as_bytes(ask(frozen, Measure.RATES, group_by=("category", "sex"))))
"""


def test_protected_answer_takes_whole_ticks_unless_it_is_kept(
    large: Frozen, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REGISTRY_ANSWER_TICK_MS = 40
    slept: list[float] = []
    monkeypatch.setattr(pace.time, "sleep", slept.append)

    ask(large, group_by=("sex",))
    ask(large, group_by=("sex",))

    assert len(slept) == 1
    assert 0 < slept[0] <= 0.04


def test_answer_is_the_same_after_a_restart(tmp_path: Path, settings: Any) -> None:
    frozen = frozen_cohort(tmp_path)

    fresh = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path), frozen.snapshot_id],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "SECRET_KEY": settings.SECRET_KEY},
        capture_output=True,
        check=True,
    )

    assert fresh.stdout == as_bytes(ask(frozen, Measure.RATES, group_by=("category", "sex")))


def test_answer_is_the_same_from_the_same_rows_frozen_elsewhere(tmp_path: Path) -> None:
    one, other = frozen_cohort(tmp_path / "one"), frozen_cohort(tmp_path / "other")

    assert as_bytes(ask(one, group_by=("year",))) == as_bytes(ask(other, group_by=("year",)))


# What it says of itself -------------------------------------------------------------------------


def test_answer_says_what_was_done_to_it(large: Frozen) -> None:
    meta = ask(large, Measure.RATES, where=(("drug", ("morphine", "baclofen")),)).meta
    disclosure: Any = meta["disclosure"]
    words = " ".join(disclosure["in_words"])

    assert (disclosure["threshold"], disclosure["fewest_hands"]) == (11, 3)
    assert disclosure["denominator_minimum"] == 20
    assert disclosure["exposure_minimum"] == {"pump-months": 1000}
    for said in (
        "variance up to 6",
        "under 11 is hidden, zeros too",
        "206 months, rounded to 10, and are hidden under 1,000",
        "need not equal the sum of their parts",
        "sum of their cells that are shown",
        "in each release by a part of its own",
        "runs high on average",
    ):
        assert said in words
    assert "coverage" not in meta
    assert meta["method"] != "Exact Poisson interval (Garwood 1936)."
    json.dumps(meta)


def test_count_says_nothing_of_device_time_or_limits(large: Frozen) -> None:
    disclosure: Any = ask(large).meta["disclosure"]

    assert "exposure_minimum" not in disclosure
    assert not any("months" in said or "limits" in said for said in disclosure["in_words"])


def test_what_an_answer_says_is_the_same_for_every_state_of_the_data(
    large: Frozen, tmp_path: Path
) -> None:
    implants, events = tangled_rows(6, patients=5)
    small = frozen_rows(tmp_path, events=events, implants=implants)

    for measure in NODE_MEASURES:
        told = [ask(frozen, measure, group_by=("category", "sex")) for frozen in (large, small)]
        assert told[0].meta.keys() == told[1].meta.keys()
        of_the_release = {"snapshot", "receipt", "completeness"}  # made of shown numbers
        one, other = (
            {name: said for name, said in each.meta.items() if name not in of_the_release}
            for each in told
        )
        assert one == other
        assert [list(row) for row in told[0].rows] == [list(row) for row in told[1].rows]
        assert [(row["category"], row["sex"]) for row in told[0].rows] == [
            (row["category"], row["sex"]) for row in told[1].rows
        ]


def test_nothing_frozen_is_nothing_shown(tmp_path: Path) -> None:
    empty = frozen_rows(tmp_path, events=(), implants=())

    for measure in NODE_MEASURES:
        (row,) = ask(empty, measure).rows
        assert (row["status"], row["reason"]) == ("hidden", "population")
        assert {name for name, cell in row.items() if cell is not None} <= {
            "hidden_cells",
            "reason",
            "status",
            "unit",
        }
