"""The literature's figures, worked out as the registry's own."""

from dataclasses import replace
from pathlib import Path

import pytest

from registry.catalogue import read_catalogue
from registry.records import EventQuery, Release
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating.literature import BESIDE_RATES, BESIDE_SHARES, literature_beside
from registry.reporting.measures import MEASURES
from registry.reporting.taken import read_question
from registry.snapshot.terms import Published, Terms
from registry.vocabulary import CountingRule, Denominator, Measure, StudiedAges, Therapy
from tests.reporting.protecting import ask, frozen_cohort


def test_a_published_proportion_has_wilsons_limits():
    figure = BESIDE_SHARES.figure(18, 20, 1, 0.95)

    # R, binom.confint(18, 20, methods = "wilson")
    assert figure.value == 0.9
    assert figure.lower == pytest.approx(0.6989663547, rel=1e-9)
    assert figure.upper == pytest.approx(0.9721335188, rel=1e-9)


def test_a_published_rate_has_garwoods_limits():
    figure = BESIDE_RATES.figure(15, 400, 1000, 0.95)

    # R, DescTools::PoissonCI(15, 400, method = "exact"), per 1,000
    assert figure.value == pytest.approx(37.5)
    assert figure.lower == pytest.approx(20.9884653, rel=1e-7)
    assert figure.upper == pytest.approx(61.8505472, rel=1e-7)


def test_without_a_denominator_nothing_is_defined():
    for beside in (BESIDE_SHARES, BESIDE_RATES):
        figure = beside.figure(0, 0, 1, 0.95)
        assert (figure.value, figure.lower, figure.upper) == (None, None, None)


def test_other_measures_are_not_compared():
    compared = {measure for measure, spec in MEASURES.items() if spec.literature}

    assert compared == {Measure.RATES, Measure.PROPORTIONS}


# Beside an answer -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    return frozen_cohort(tmp_path_factory.mktemp("cohort"))


def exact(frozen: Frozen, measure: Measure, **query: object) -> Release:
    return _exact(EventQuery(**query), measure, frozen)  # type: ignore[arg-type]


def figure(**columns: object) -> Published:
    told: dict[str, object] = {
        "rate_id": "R900",
        "complication": "catheter-migration",
        "category": "",
        "metric": "migration",
        "measure_type": "rate",
        "numerator": 15.0,
        "denominator": 400.0,
        "unit": "catheter-years",
        "population": "adults",
        "source": "Somebody et al, Journal 2003;1:2",
        "confidence": "source-seen",
        "note": "",
    }
    return Published(**(told | columns))  # type: ignore[arg-type]


def beside(frozen: Frozen, *figures: Published, measure: Measure = Measure.RATES, **query: object):
    manifest = frozen.store.manifest
    terms: Terms = replace(manifest.terms, published=figures)
    event_query = EventQuery(**query)  # type: ignore[arg-type]
    question = read_question(event_query, measure=measure, manifest=manifest)
    return literature_beside(question, terms, per=1000).get("literature")


MIGRATION = (("complication", ("catheter-migration",)),)


def test_published_proportion_stands_beside_ours_with_its_source(cohort: Frozen):
    release = exact(cohort, Measure.PROPORTIONS, where=MIGRATION)

    (taira,) = (each for each in release.meta["literature"] if each["rate_id"] == "R004")
    # 25 of 400 (Taira et al 2013): 6.25 %, Wilson 4.27 to 9.07 %
    assert taira["value"] == 0.0625
    assert (taira["ci_lower"], taira["ci_upper"]) == (
        pytest.approx(0.04268, abs=5e-5),
        pytest.approx(0.09067, abs=5e-5),
    )
    assert (taira["complication"], taira["category"]) == ("catheter-migration", None)
    assert (taira["year"], taira["evidence"], taira["measure"]) == (2013, "seen", "proportions")
    assert (taira["events"], taira["of"], taira["unit"], taira["per"]) == (
        25,
        400,
        "patients",
        None,
    )
    assert taira["source"].startswith("Taira et al")


def test_breakdown_by_complication_has_the_figures_of_each(cohort: Frozen):
    told = exact(cohort, Measure.PROPORTIONS, group_by=("complication",)).meta["literature"]

    assert {"catheter-migration", "csf-leak", "pump-flip"} <= {
        each["complication"] for each in told
    }
    assert {each["category"] for each in told} == {None}


def test_category_has_the_figures_of_categories(cohort: Frozen):
    of_one = exact(cohort, Measure.PROPORTIONS, where=(("category", ("catheter",)),))
    of_each = exact(cohort, Measure.PROPORTIONS, group_by=("category",))

    assert {each["category"] for each in of_one.meta["literature"]} == {"catheter"}
    assert {"catheter", "infection"} <= {each["category"] for each in of_each.meta["literature"]}


def test_unit_of_a_rate_is_converted_by_arithmetic_alone(cohort: Frozen):
    (told,) = beside(cohort, figure(), where=MIGRATION)

    # 15 in 400 catheter-years are 15 in 4,800 catheter-months
    assert told["value"] == pytest.approx(1000 * 15 / 4800)
    assert told["ci_lower"] == pytest.approx(1000 * 0.0209884653 / 12, rel=1e-7)
    assert told["ci_upper"] == pytest.approx(1000 * 0.0618505472 / 12, rel=1e-7)
    assert (told["unit"], told["per"], told["published_unit"]) == (
        "catheter-months",
        1000,
        "catheter-years",
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"unit": "patient-years"},
        {"unit": "pump-years"},
        {"measure_type": "proportion", "unit": "patients"},
        {"numerator": None},
        {"denominator": None},
        {"complication": "catheter-kink"},
        {"complication": "", "category": "catheter"},
        {"complication": "", "category": ""},
    ],
)
def test_figure_of_something_else_stands_beside_nothing(cohort: Frozen, columns: dict[str, object]):
    assert beside(cohort, figure(**columns), where=MIGRATION) == []


def test_figure_follows_the_unit_that_is_asked_for(cohort: Frozen):
    fields = {"where": MIGRATION, "unit": Denominator.PUMP_MONTHS}

    assert beside(cohort, figure(), **fields) == []
    assert len(beside(cohort, figure(unit="pump-months"), **fields)) == 1


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"group_by": ("drug",), "where": MIGRATION},
        {"group_by": ("year",), "where": MIGRATION},
        {"where": (("complication", ("catheter-kink", "catheter-migration")),)},
        {"measure": Measure.PROPORTIONS, "counting": CountingRule.DEVICES, "where": MIGRATION},
    ],
)
def test_answer_that_is_not_of_one_complication_has_no_literature(
    cohort: Frozen, query: dict[str, object]
):
    of_patients = figure(measure_type="proportion", unit="patients")

    assert beside(cohort, figure(), of_patients, **query) == []


@pytest.mark.parametrize("measure", [Measure.COUNTS, Measure.TREND, Measure.FUNNEL])
def test_other_measures_say_nothing_of_the_literature(cohort: Frozen, measure: Measure):
    assert "literature" not in exact(cohort, measure, where=MIGRATION).meta


def test_some_events_of_a_complication_have_no_literature(cohort: Frozen):
    of_migration = ("complication", ("catheter-migration",))
    whole = beside(cohort, figure(), where=(of_migration,))
    severe = beside(cohort, figure(), where=(of_migration, ("severity", ("3",))))
    men = beside(cohort, figure(), where=(of_migration, ("sex", ("male",))))

    assert len(whole) == len(men) == 1
    assert severe == []


def test_unread_source_is_said_to_be_unverified(cohort: Frozen):
    told = [
        beside(cohort, figure(confidence=word), where=MIGRATION)[0] for word in ("", "abstract")
    ]

    assert [each["evidence"] for each in told] == ["unverified", "abstract"]


def test_protected_answer_has_the_same_literature(cohort: Frozen):
    fields = {"group_by": ("complication",)}

    assert (
        ask(cohort, Measure.PROPORTIONS, **fields).meta["literature"]
        == exact(cohort, Measure.PROPORTIONS, **fields).meta["literature"]
    )


def test_literature_is_that_of_the_catalogue_which_was_frozen(tmp_path: Path):
    frozen = frozen_cohort(tmp_path)

    assert len(frozen.store.manifest.terms.published) == 40  # the shipped catalogue's shown figures


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ((), {"baclofen", "opioid", "ziconotide", "analgesic", "mixed", "not-stated"}),
        ((("drug", ("baclofen",)),), {"baclofen"}),
        ((("drug_class", ("gabab-agonist",)),), {"baclofen"}),
        ((("drug", ("gabab-agonist",)),), {"baclofen"}),  # a class among drugs
        ((("drug", ("morphine", "hydromorphone")),), {"opioid"}),
        ((("drug", ("ziconotide",)),), {"ziconotide"}),
        ((("drug", ("baclofen", "morphine")),), {"baclofen", "opioid"}),
        ((("drug", ("bupivacaine",)),), set()),
        ((("drug", ("not-recorded",)),), set()),
        ((("indication_group", ("pain-cancer",)),), {"opioid", "ziconotide", "analgesic"}),
        ((("indication", ("failed-back-surgery",)),), {"opioid", "ziconotide", "analgesic"}),
        ((("indication_group", ("spasticity-spinal",)),), {"baclofen"}),
        ((("drug", ("morphine",)), ("indication_group", ("spasticity-spinal",))), set()),
        ((("sex", ("female",)),), {each.value for each in Therapy}),
    ],
)
def test_a_cohort_of_another_therapy_stands_beside_nothing(
    cohort: Frozen, where: tuple[tuple[str, tuple[str, ...]], ...], fits: set[str]
):
    figures = [figure(rate_id=each.value, therapy=each.value) for each in Therapy]

    found = beside(cohort, *figures, where=(*MIGRATION, *where))

    assert {each["rate_id"] for each in found} == fits
    assert all(each["therapy"] == each["rate_id"] for each in found)


@pytest.mark.parametrize(
    ("bands", "fits"),
    [
        ((), {"paediatric", "adult", "mixed", "not-stated"}),
        (("0-5", "12-17"), {"paediatric"}),
        (("18-39", "80-89"), {"adult"}),
        (("12-17", "18-39"), {"paediatric", "adult", "mixed"}),
        (("not-recorded",), set()),
    ],
)
def test_a_cohort_of_other_ages_stands_beside_nothing(
    cohort: Frozen, bands: tuple[str, ...], fits: set[str]
):
    figures = [figure(rate_id=each.value, age_group=each.value) for each in StudiedAges]
    where = (("age_band", bands),) if bands else ()

    found = beside(cohort, *figures, where=(*MIGRATION, *where))

    assert {each["rate_id"] for each in found} == fits


def test_no_opioid_cohort_of_the_catalogue_stands_beside_baclofen(cohort: Frozen):
    shipped = {rate.rate_id: rate for rate in read_catalogue().published_rates}
    figures = [
        replace(
            each,
            therapy=shipped[each.rate_id].therapy.value,
            age_group=shipped[each.rate_id].age_group.value,
        )
        for each in cohort.store.manifest.terms.published
    ]
    asked = {"measure": Measure.PROPORTIONS, "group_by": ("complication",)}

    of_baclofen = beside(cohort, *figures, where=(("drug", ("baclofen",)),), **asked)
    of_all = beside(cohort, *figures, **asked)

    assert {each["therapy"] for each in of_baclofen} == {"baclofen"}
    assert len({each["therapy"] for each in of_all}) > 1


def test_what_a_source_states_is_kept_with_the_snapshot(cohort: Frozen):
    terms = replace(
        cohort.store.manifest.terms,
        published=(figure(therapy="opioid", age_group="adult"), figure(rate_id="R901")),
    )

    kept = terms.as_json()

    assert Terms.from_json(kept) == terms
    assert (kept["published"][0]["therapy"], kept["published"][0]["age_group"]) == (
        "opioid",
        "adult",
    )
    assert not {"therapy", "age_group"} & set(kept["published"][1])
