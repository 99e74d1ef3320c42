"""Questions as nodes: one question has one plan, and a refusal names what can be had."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from registry.disclosure.nodes import Node, canonical, plan
from registry.disclosure.policy import Policy
from registry.disclosure.trees import ALL, Level, Place, Tree
from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail, Window

BESIDE_TWO = replace(Policy(), most_beside=2)
"""Rows are planned in as many dimensions as a policy allows."""


def value(code):
    return Place(Level.VALUE, code)


def group(code):
    return Place(Level.GROUP, code)


def ask(group_by=(), years=None, windows=(), **where):
    asked = {name: (codes,) if isinstance(codes, str) else codes for name, codes in where.items()}
    return EventQuery(
        where=tuple(sorted((name, tuple(sorted(codes))) for name, codes in asked.items())),
        group_by=tuple(group_by),
        years=years,
        windows=windows,
    )


@pytest.fixture
def planned(trees, policy):
    return lambda *args, **kwargs: plan(ask(*args, **kwargs), trees, policy)


@pytest.fixture
def faults(planned):
    def of(*args, **kwargs):
        with pytest.raises(NotAvailableAtThisDetail) as refused:
            planned(*args, **kwargs)
        return {fault.column: fault.detail for fault in refused.value.faults}

    return of


def only_nodes(plan):
    (row,) = plan.rows
    return row.nodes


def test_question_without_a_filter_is_the_node_of_everything(planned):
    assert only_nodes(planned()) == (Node(),)


def test_node_is_a_mapping_of_dimensions_to_places(trees):
    node = Node.at({"sex": value("male"), "drug": group("opioid"), "year": ALL})

    assert dict(node) == {"drug": group("opioid"), "sex": value("male")}
    assert len(node) == 2
    assert node.where(trees) == {
        "drug": ("fentanyl", "hydromorphone", "morphine"),
        "sex": ("male",),
    }


def test_group_and_its_values_are_one_question(planned):
    spelled = planned(drug=("morphine", "fentanyl", "hydromorphone"))

    assert spelled == planned(drug_class="opioid")
    assert only_nodes(spelled) == (Node.at({"drug": group("opioid")}),)


def test_group_of_one_is_its_value(planned):
    assert planned(drug_class="gabab-agonist") == planned(drug="baclofen")


def test_everything_is_no_filter(planned, trees):
    assert planned(sex=("female", "male", "not-recorded")) == planned()
    assert planned(drug=trees["drug"].values) == planned()


def test_everything_but_one_is_answered_by_groups(planned):
    nodes = only_nodes(planned(drug=("morphine", "fentanyl", "hydromorphone", "saline")))

    assert nodes == (Node.at({"drug": group("opioid")}), Node.at({"drug": value("saline")}))


def test_blanks_are_a_value(planned):
    assert only_nodes(planned(sex="not-recorded")) == (Node.at({"sex": value("not-recorded")}),)
    assert planned(drug_class="not-recorded") == planned(drug="not-recorded")


def test_several_values_in_two_dimensions_are_every_pair(trees):
    asked = ask(drug=("baclofen", "morphine"), sex=("female", "male"))
    nodes = only_nodes(plan(asked, trees, BESIDE_TWO))

    assert len(nodes) == 4
    assert nodes[0] == Node.at({"drug": value("baclofen"), "sex": value("female")})


def test_value_and_group_filters_are_both_held(planned):
    both = planned(drug=("baclofen", "morphine"), drug_class="opioid")

    assert both == planned(drug="morphine")


@pytest.mark.parametrize(
    ("years", "places"),
    [
        ((2015, 2019), {"year": group("2015-2019")}),
        ((2018, 2018), {"year": value("2018")}),
        ((None, None), {}),
        ((None, 2024), {}),
        ((2013, 2024), {}),
        ((1990, 2030), {}),
        ((2020, None), {"year": group("2020-2024")}),
        ((None, 2014), {"year": group("2010-2014")}),
    ],
)
def test_range_of_years_is_a_year_a_period_or_all(planned, years, places):
    assert only_nodes(planned(years=years)) == (Node.at(places),)


def test_year_outside_the_release_is_impossible(planned):
    assert only_nodes(planned(years=(1990, 1991))) == ()


def test_period_filter_is_the_range_of_its_years(planned):
    assert planned(period="2015-2019") == planned(years=(2015, 2019))
    assert planned(year=("2015", "2016", "2017", "2018", "2019")) == planned(years=(2015, 2019))


def test_range_of_years_between_is_refused_and_names_the_periods(faults):
    assert faults(years=(2018, 2021)) == {
        "year": "patients do not add up over these values; ask for one value, "
        "one period (2015-2019, 2020-2024) or all of them, or group by year"
        ". For more, ask for an agreement: /agreement/"
    }


def test_several_values_of_an_event_are_refused(faults):
    refused = faults(severity=("1", "2"))

    assert refused == {
        "severity": "patients do not add up over these values; ask for one value or all of them, "
        "or group by severity. For more, ask for an agreement: /agreement/"
    }


def test_part_of_a_category_is_refused_and_names_the_category(faults):
    assert "one category (catheter)" in faults(complication=("kink", "tear"))["complication"]


def test_whole_category_is_its_group(planned):
    assert planned(complication=("leak", "kink", "tear")) == planned(category="catheter")
    assert only_nodes(planned(category="catheter")) == (
        Node.at({"complication": group("catheter")}),
    )


def test_several_complications_of_two_categories_are_refused_with_both(faults):
    assert "one category (catheter, pump)" in faults(complication=("kink", "stall"))["complication"]


def test_consequences_count_only_when_named(planned, trees):
    in_totals = ("kink", "leak", "overdose", "stall", "tear")

    assert planned(complication=in_totals) == planned()
    assert only_nodes(planned(complication="death")) == (Node.at({"complication": value("death")}),)


def test_all_complications_with_the_consequences_are_refused(faults, trees):
    assert "complication" in faults(complication=trees["complication"].values)


def test_breakdown_has_a_row_for_every_value_and_for_blanks(planned):
    found = planned(["sex"])

    assert [row.labels for row in found.rows] == [("female",), ("male",), ("not-recorded",)]
    assert [row.nodes for row in found.rows] == [
        (Node.at({"sex": value(code)}),) for code in ("female", "male", "not-recorded")
    ]


def test_breakdown_by_complication_names_the_consequences(planned):
    labels = [row.labels for row in planned(["complication"]).rows]

    assert ("death",) in labels
    assert ("end-of-service",) in labels


def test_breakdown_by_category_is_by_groups(planned):
    rows = {row.labels: row.nodes for row in planned(["category"]).rows}

    assert rows["catheter",] == (Node.at({"complication": group("catheter")}),)
    assert rows["drug-effect",] == (Node.at({"complication": value("overdose")}),)


def test_value_and_its_group_are_one_dimension(planned):
    rows = planned(["category", "complication"], sex="male").rows

    assert [row.labels for row in rows][:4] == [
        ("catheter", "kink"),
        ("catheter", "leak"),
        ("catheter", "tear"),
        ("pump", "stall"),
    ]
    assert rows[0].nodes == (Node.at({"complication": value("kink"), "sex": value("male")}),)


def test_row_equals_the_question_filtered_to_that_row(planned):
    rows = planned(["drug_class", "category"]).rows

    for row in rows:
        drug_class, category = row.labels
        alone = planned(category=category, drug_class=drug_class)
        assert only_nodes(alone) == row.nodes


def test_breakdown_of_a_filter_keeps_to_the_filter(planned):
    assert [row.labels for row in planned(["severity"], severity=("4", "5")).rows] == [
        ("4",),
        ("5",),
    ]
    assert [row.labels for row in planned(["year"], years=(2018, 2021)).rows] == [
        ("2018",),
        ("2019",),
        ("2020",),
        ("2021",),
    ]


def test_grouped_row_of_part_of_a_class_sums_its_values(planned):
    (row,) = planned(["drug_class"], drug=("fentanyl", "morphine")).rows

    assert row.labels == ("opioid",)
    assert len(row.nodes) == 2


def test_grouped_row_of_part_of_a_category_is_refused(faults):
    refused = faults(["category"], complication=("kink", "tear", "stall"))

    assert "or group by complication" in refused["complication"]


def test_order_of_grouping_is_the_order_of_labels(planned):
    one, other = planned(["complication", "drug"]), planned(["drug", "complication"])

    assert {row.labels[::-1]: row.nodes for row in one.rows} == {
        row.labels: row.nodes for row in other.rows
    }
    assert one.nodes == other.nodes


@pytest.mark.parametrize(
    "where",
    [
        {"complication": "death", "severity": "3"},
        {"complication": "death", "severity": "not-recorded"},
        {"complication": "death", "outcome": "recovered"},
        {"complication": "death", "serious": "no"},
        {"complication": "death", "seriousness": "none"},
        {"complication": "kink", "category": "pump"},
    ],
)
def test_impossible_combination_has_no_node(planned, where):
    assert only_nodes(planned(**where)) == ()


@pytest.mark.parametrize(
    "where",
    [
        {"complication": "death", "severity": "5"},
        {"complication": "death", "outcome": "fatal"},
        {"complication": "death", "seriousness": "disability"},
        {"complication": "kink", "severity": "3"},
    ],
)
def test_possible_combination_has_one(planned, where):
    assert len(only_nodes(planned(**where))) == 1


@pytest.mark.parametrize(
    ("question", "column", "nearest"),
    [
        ({"windows": (Window(0, 6),)}, "window", "0-3, 4-12, 13-36, 37-60, 61-, 0-12 or 13-"),
        ({"windows": (Window(0, 4), Window(5, None))}, "window", "0-12 or 13-"),
        ({"window": "not-recorded"}, "window", "in the totals only"),
        ({"state": "submitted"}, "state", "leave it out"),
        ({"actuality": "near-miss"}, "actuality", "leave it out"),
        ({"detection": "imaging"}, "detection", "root_cause"),
        ({"country": "CH"}, "country", "site"),
        ({"relatedness_drug": "causal"}, "relatedness_drug", "leave it out"),
    ],
)
def test_dimension_that_is_not_offered_is_refused(faults, question, column, nearest):
    refused = faults(**question)

    assert list(refused) == [column]
    assert nearest in refused[column]


@pytest.mark.parametrize("question", [{"patient": "p1"}, {"group_by": ["device_key_30"]}])
def test_what_is_no_dimension_is_no_question(planned, question):
    with pytest.raises(BadQuery) as refused:
        planned(**question)

    (fault,) = refused.value.faults
    assert fault.code == "unknown-dimension"


AGREEMENT = ". For more, ask for an agreement: /agreement/"


def test_question_with_more_is_refused_and_names_what_to_drop(faults):
    said = "a complication, a category or all go with one other dimension; keep one of "
    assert faults(["category", "severity"], years=(2018, 2018)) == {
        "group_by": f"{said}severity or year{AGREEMENT}"
    }
    assert faults(["category", "drug", "severity"], sex="male") == {
        "group_by": f"{said}drug, severity or sex{AGREEMENT}"
    }


@pytest.mark.parametrize(
    "question",
    [
        {"group_by": ["complication", "drug"]},
        {"group_by": ["complication", "year"]},
        {"complication": "kink", "intervention": "imaging"},
        {"complication": "kink", "windows": (Window(0, 3),)},
        {"group_by": ["category", "severity"]},
        {"group_by": ["category", "drug"]},
        {"category": "pump", "years": (2018, 2018)},
        {"complication": "overdose", "drug": "morphine"},  # its category's only one
    ],
)
def test_published_combination_is_answered(planned, question):
    assert planned(**question).nodes


@pytest.mark.parametrize(
    "question",
    [
        {"group_by": ["complication", "drug", "year"]},
        {"complication": "kink", "sex": "male", "drug": "morphine"},
        {"complication": "kink", "sex": "male", "severity": "2"},
        {"group_by": ["category", "drug", "sex", "age_band"]},
        {"group_by": ["drug", "sex", "age_band"]},
        {"group_by": ["severity", "outcome"]},
        {"group_by": ["category", "drug", "severity"]},
        {"group_by": ["category", "drug"], "sex": "male"},
        {"group_by": ["drug", "sex"]},
        {"complication": "overdose", "drug": "morphine", "sex": "male"},
        {"severity": "3", "years": (2018, 2018)},
        {"windows": (Window(0, 3),), "intervention": "imaging"},
    ],
)
def test_finer_combination_is_refused(faults, question):
    assert list(faults(**question)) == ["group_by"]


def test_one_dimension_beside_all_of_another_is_answered(planned, trees):
    asked = planned(["severity"], age_band=trees["age_band"].values)

    assert asked == planned(["severity"])


WIDE = ("complication", "category", "year", "window", "severity", "drug", "sex", "site")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_node_is_finer_than_what_is_published(trees, data):
    names = data.draw(st.lists(st.sampled_from(WIDE), unique=True, max_size=3))
    where = {
        name: data.draw(st.sampled_from(trees[name].values))
        for name in data.draw(st.sets(st.sampled_from(["complication", "severity", "sex", "site"])))
    }
    try:
        found = plan(ask(names, **where), trees, Policy())
    except (NotAvailableAtThisDetail, BadQuery):
        reject()

    for node in found.nodes:
        others = set(node) - {"complication"}
        if "site" in others:
            assert others - {"site"} <= {"year"}
            assert len(node) <= 2
        fine = "complication" in node and not trees["complication"].is_coarse(node["complication"])
        assert len(others) <= 1 or others == {"site", "year"}
        assert not (fine and "site" in node)


def test_funnel_compares_sites_by_one_complication_and_by_nothing_else(trees, policy):
    rows = plan(ask(["site"], complication="kink"), trees, policy, by_funnel=True).rows

    assert rows[0].nodes == (Node.at({"site": value("CLINIC-A"), "complication": value("kink")}),)
    with pytest.raises(NotAvailableAtThisDetail):
        plan(ask(["site"], complication="kink", sex="male"), trees, policy, by_funnel=True)


# Windows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("windows", "places"),
    [
        ((Window(0, 3),), {"window": value("0-3")}),
        ((Window(0, 12),), {"window": group("0-12")}),
        ((Window(13, None),), {"window": group("13-")}),
        ((Window(61, None),), {"window": value("61-")}),
        ((Window(0, None),), {}),
    ],
)
def test_filter_of_months_is_a_window_a_group_or_all(planned, windows, places):
    assert only_nodes(planned(windows=windows)) == (Node.at(places),)


def test_windows_that_are_no_group_are_refused_together(faults):
    assert "window" in faults(windows=(Window(4, 36),))


def test_breakdown_by_window_has_a_row_for_each(planned):
    assert [row.labels for row in planned(["window"]).rows] == [
        ("0-3",),
        ("4-12",),
        ("13-36",),
        ("37-60",),
        ("61-",),
    ]


def test_breakdown_by_named_windows_has_these_rows(planned):
    found = planned(["window"], windows=(Window(0, 12), Window(13, 36)))

    assert [(row.labels, row.nodes) for row in found.rows] == [
        (("0-12",), (Node.at({"window": group("0-12")}),)),
        (("13-36",), (Node.at({"window": value("13-36")}),)),
    ]


@pytest.mark.parametrize(
    ("group_by", "windows", "spelled"),
    [
        ((), (Window(0, None),), ()),
        ((), (Window(0, 12),), (Window(0, 12),)),
        (["window"], (), ()),
        (
            ["window"],
            tuple(Window(*ends) for ends in ((0, 3), (4, 12), (13, 36), (37, 60), (61, None))),
            (),
        ),
        (["window"], (Window(0, 12),), (Window(0, 12),)),
    ],
)
def test_canonical_leaves_out_windows_that_say_nothing(trees, policy, group_by, windows, spelled):
    asked = ask(group_by, windows=windows)

    assert canonical(asked, trees, policy) == ask(group_by, windows=spelled)


@pytest.mark.parametrize(
    "question",
    [
        {"group_by": ["site"]},
        {"site": "CLINIC-A"},
        {"group_by": ["site", "year"]},
        {"site": "CLINIC-A", "period": "2015-2019"},
        {"group_by": ["site", "category"]},
        {"site": ("CLINIC-A", "CLINIC-B"), "category": "pump"},
        {"site": "CLINIC-A", "complication": "overdose"},  # its category's only one
    ],
)
def test_site_is_answered_alone_with_year_or_with_category(planned, question):
    assert planned(**question).nodes


@pytest.mark.parametrize(
    "question",
    [
        {"group_by": ["site", "drug"]},
        {"site": "CLINIC-A", "sex": "male"},
        {"site": "CLINIC-A", "complication": "kink"},
        {"group_by": ["site", "complication"]},
        {"site": ("CLINIC-A", "CLINIC-B"), "severity": "3"},
        {"group_by": ["site", "year", "category"]},
    ],
)
def test_site_with_anything_else_is_refused(faults, question):
    assert faults(**question) == {
        "site": f"ask for site alone, site with year or site with category{AGREEMENT}"
    }


def test_all_sites_cross_with_anything_and_a_site_with_all_of_it(planned, trees):
    every_site, every_drug = trees["site"].values, trees["drug"].values

    assert planned(site=every_site, drug="baclofen") == planned(drug="baclofen")
    assert planned(site="CLINIC-A", drug=every_drug) == planned(site="CLINIC-A")


def test_every_fault_is_told_at_once(faults):
    assert set(faults(["site", "drug"], state="draft", severity=("1", "2"))) == {
        "state",
        "severity",
        "site",
    }


def test_refusal_never_repeats_the_value(faults):
    told = faults(drug="baclofen", site="CLINIC-B", severity=("2", "3"), country="CH")

    for word in ("baclofen", "CLINIC-B", "CH"):
        assert not any(word in detail for detail in told.values())


def test_reply_that_is_too_long_is_refused_before_it_is_built(trees, policy):
    short = replace(policy, most_cells=10)

    with pytest.raises(BadQuery) as refused:
        plan(ask(["category", "drug"]), trees, short)

    assert refused.value.faults[0].code == "too-many-cells"


def test_calendar_years_beyond_so_many_do_not_count_as_cells(trees, policy):
    short = replace(policy, most_cells=28, most_years=4)  # 7 complications of 12 years

    assert len(plan(ask(["complication", "year"]), trees, short).rows) == 7 * 12
    with pytest.raises(BadQuery):
        plan(ask(["complication", "year"]), trees, replace(short, most_cells=27))
    with pytest.raises(BadQuery):
        plan(ask(["complication", "severity"]), trees, short)


def test_sum_of_too_many_nodes_is_refused(trees):
    short = replace(BESIDE_TWO, most_cells=3)

    with pytest.raises(BadQuery):
        plan(ask(drug=("baclofen", "morphine"), sex=("female", "male")), trees, short)


DEVICE_SIDE = ("drug", "sex", "age_band", "indication")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_equal_questions_in_any_spelling_have_equal_plans(trees, data):
    names = data.draw(st.lists(st.sampled_from(DEVICE_SIDE), unique=True, max_size=2))
    chosen = {
        name: data.draw(st.sets(st.sampled_from(trees[name].values), min_size=1)) for name in names
    }
    written = [(name, data.draw(st.permutations(sorted(chosen[name])))) for name in names]
    written = data.draw(st.permutations(written))
    spelled = [(name, tuple(codes) + tuple(codes[:1])) for name, codes in written]
    whole = trees["sex"].values
    spelled += [] if "sex" in names else [("sex", whole)]
    by_complement = {
        name: tuple(sorted(set(trees[name].values) - (set(trees[name].values) - codes)))
        for name, codes in chosen.items()
    }

    first = plan(EventQuery(where=tuple(spelled)), trees, BESIDE_TWO)
    second = plan(ask(**by_complement), trees, BESIDE_TWO)

    assert first == second


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_nodes_of_a_row_are_disjoint_and_hold_what_was_asked(trees, data):
    drugs = data.draw(st.sets(st.sampled_from(trees["drug"].values), min_size=1))
    sexes = data.draw(st.sets(st.sampled_from(trees["sex"].values), min_size=1))

    (row,) = plan(ask(drug=tuple(drugs), sex=tuple(sexes)), trees, BESIDE_TWO).rows

    held = [
        (drug, sex)
        for node in row.nodes
        for drug in node.where(trees).get("drug", trees["drug"].values)
        for sex in node.where(trees).get("sex", trees["sex"].values)
    ]
    assert sorted(held) == sorted((drug, sex) for drug in drugs for sex in sexes)


MIXED = Tree.grouped(
    "complication",
    {"kink": "catheter", "stall": "pump", "alarm": "pump", "end-of-service": "pump", "death": "x"},
    blanks=False,
    apart=("end-of-service", "death"),
)


@pytest.mark.parametrize(
    ("question", "values"),
    [
        ({"category": "pump"}, [("stall", "alarm")]),
        ({"complication": ("stall", "alarm")}, [("stall", "alarm")]),
        ({"category": "x"}, [("death",)]),
        ({"group_by": ["category"]}, [("kink",), ("stall", "alarm")]),
        ({"group_by": ["category"], "category": ("pump", "x")}, [("stall", "alarm"), ("death",)]),
        (
            {"group_by": ["complication"], "category": "pump"},
            [("stall",), ("alarm",), ("end-of-service",)],
        ),
    ],
)
def test_category_leaves_out_what_counts_only_when_named(trees, policy, question, values):
    mixed = trees | {"complication": MIXED}

    found = plan(ask(**question), mixed, policy)

    assert [node.where(mixed)["complication"] for row in found.rows for node in row.nodes] == [
        tuple(sorted(each)) for each in values
    ]


def test_category_with_what_it_leaves_out_is_refused(trees, policy):
    asked = ask(complication=("alarm", "stall", "end-of-service"))

    with pytest.raises(NotAvailableAtThisDetail):
        plan(asked, trees | {"complication": MIXED}, policy)


@pytest.mark.parametrize(
    ("question", "spelled"),
    [
        ({"drug": ("morphine", "fentanyl", "hydromorphone")}, {"drug_class": "opioid"}),
        ({"drug_class": "gabab-agonist"}, {"drug": "baclofen"}),
        ({"drug": ("morphine", "saline"), "drug_class": "opioid"}, {"drug": "morphine"}),
        ({"years": (2015, 2019)}, {"period": "2015-2019"}),
        ({"years": (2018, 2018)}, {"year": "2018"}),
        ({"years": (1990, 2030)}, {}),
        ({"sex": ("female", "male", "not-recorded")}, {}),
        ({"age_band": ("0-5", "6-11")}, {"age_group": "child"}),
        ({"age_band": ("0-5", "40-64")}, {"age_band": ("0-5", "40-64")}),
        ({"complication": ("kink", "leak", "tear")}, {"category": "catheter"}),
        (
            {"complication": ("kink", "leak", "overdose", "stall", "tear")},
            {},
        ),
    ],
)
def test_canonical_names_groups_where_there_is_a_name_and_leaves_out_what_is_all(
    trees, policy, question, spelled
):
    assert canonical(ask(**question), trees, policy) == ask(**spelled)


def test_canonical_keeps_what_is_no_filter(trees, policy):
    asked = replace(ask(["sex"], drug="morphine"), level=0.9, labels="both", ordering=("-n",))

    assert canonical(asked, trees, policy) == asked


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_canonical_question_has_the_same_plan_and_is_its_own_canonical(trees, data):
    mixed = trees | {"complication": MIXED}
    names = data.draw(
        st.lists(
            st.sampled_from(["complication", "category", "year", "period", "drug", "drug_class"]),
            unique=True,
            max_size=3,
        )
    )
    where = {}
    for name in data.draw(st.sets(st.sampled_from(["complication", "drug", "year"]))):
        where[name] = data.draw(st.sets(st.sampled_from(mixed[name].values), min_size=1))
    for name, tree in (("category", "complication"), ("drug_class", "drug"), ("period", "year")):
        if data.draw(st.booleans()):
            where[name] = data.draw(st.sets(st.sampled_from(mixed[tree].groups), min_size=1))
    asked = ask(names, **where)

    try:
        found = plan(asked, mixed, Policy())
    except NotAvailableAtThisDetail:
        reject()
    spelled = canonical(asked, mixed, Policy())

    assert plan(spelled, mixed, Policy()) == found
    assert canonical(spelled, mixed, Policy()) == spelled


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_equal_plans_have_one_canonical_question(trees, data):
    drugs = data.draw(st.sets(st.sampled_from(trees["drug"].values), min_size=1))
    classes = {group for group in trees["drug"].groups if _members(trees, group) <= drugs}
    spelled = ask(drug=tuple(drugs))
    others = [ask(drug=tuple(drugs), sex=trees["sex"].values, years=(1980, 2100))]
    if classes and _members(trees, *classes) == drugs:
        others.append(ask(drug_class=tuple(classes)))

    for other in others:
        assert canonical(other, trees, Policy()) == canonical(spelled, trees, Policy())


def _members(trees, *groups):
    return {value for value, group in trees["drug"].group_of.items() if group in groups}
