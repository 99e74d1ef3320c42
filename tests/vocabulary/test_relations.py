"""How entries of one list stand to entries of another, as the vocabularies print it."""

import pytest

from registry.vocabulary import (
    AgeBand,
    CatheterModel,
    Drug,
    ExitStatus,
    Indication,
    Outcome,
    PooledAgeBand,
    PumpFamily,
    PumpModel,
    Severity,
)


def grouped(codelist, attribute):
    groups = {}
    for member in codelist:
        groups.setdefault(getattr(member, attribute).value, set()).add(member.value)
    return groups


def test_age_bands_fall_into_child_adult_and_older():
    assert grouped(AgeBand, "group") == {
        "child": {"0-5", "6-11", "12-17"},
        "adult": {"18-39", "40-64"},
        "older": {"65-79", "80-89", "90-plus"},
        "unknown": {"unknown"},
    }


def test_pooled_age_bands_fall_into_the_groups_of_what_they_pool():
    assert grouped(PooledAgeBand, "group") == {
        "child": {"0-5", "6-11", "12-17"},
        "adult": {"18-39", "40-64"},
        "older": {"65-79", "80-plus"},
        "unknown": {"unknown"},
    }
    assert {band.value: band.pooled.value for band in AgeBand if band.value != band.pooled} == {
        "80-89": "80-plus",
        "90-plus": "80-plus",
    }
    assert all(band.group is band.pooled.group for band in AgeBand)


def test_indications_fall_into_their_groups():
    assert grouped(Indication, "group") == {
        "pain-noncancer": {
            "failed-back-surgery",
            "degenerative-spine",
            "spinal-stenosis",
            "crps",
            "neuropathic-peripheral",
            "neuropathic-central",
            "neuropathic-unspecified",
            "arachnoiditis",
            "vertebral-fracture",
            "chronic-pancreatitis-visceral",
            "arthritis",
            "phantom-postamputation",
            "other-pain-noncancer",
        },
        "pain-cancer": {"cancer-direct", "cancer-treatment", "other-pain-cancer"},
        "spasticity-cerebral": {
            "cerebral-palsy",
            "stroke",
            "traumatic-brain-injury",
            "hypoxic-brain-injury",
            "other-spasticity-cerebral",
        },
        "spasticity-spinal": {
            "multiple-sclerosis",
            "spinal-cord-injury",
            "hereditary-spastic-paraplegia",
            "tumour-or-myelopathy",
            "other-spasticity-spinal",
        },
        "spasticity-unspecified": {"spasticity-unspecified"},
        "dystonia": {"dystonia"},
        "combined": {"pain-and-spasticity"},
        "other": {"other", "unknown"},
    }


def test_drugs_fall_into_their_classes():
    assert grouped(Drug, "drug_class") == {
        "opioid": {
            "morphine",
            "hydromorphone",
            "fentanyl",
            "sufentanil",
            "pethidine",
            "methadone",
            "diamorphine",
        },
        "local-anaesthetic": {"bupivacaine", "levobupivacaine", "ropivacaine", "lidocaine"},
        "alpha2-agonist": {"clonidine", "dexmedetomidine"},
        "calcium-channel-blocker": {"ziconotide"},
        "gabab-agonist": {"baclofen"},
        "other": {
            "ketamine",
            "gabapentin",
            "midazolam",
            "droperidol",
            "octreotide",
            "neostigmine",
            "adenosine",
            "other",
        },
        "chemotherapy": {"floxuridine", "methotrexate"},
        "none": {"saline"},
        "unknown": {"unknown"},
    }


def test_pump_models_belong_to_their_manufacturers():
    assert grouped(PumpModel, "manufacturer") == {
        "medtronic": {
            "synchromed-8615-8618",
            "synchromed-el",
            "synchromed-ii-20",
            "synchromed-ii-40",
            "synchromed-iii-20",
            "synchromed-iii-40",
            "isomed",
            "synchromed",
            "synchromed-ii",
            "synchromed-iii",
        },
        "flowonix": {"prometra", "prometra-ii", "prometra-ii-20", "prometra-ii-40"},
        "codman": {"medstream", "codman-3000", "codman-archimedes"},
        "infusaid": {"infusaid"},
        "tricumed": {"siromedes", "tricumed-ip-series"},
        "other": {"other-programmable", "other-constant-flow"},
        "unknown": {"unknown"},
    }


def test_pump_models_with_constant_flow_are_told_from_programmable_ones():
    flows = grouped(PumpModel, "flow")

    assert flows["constant"] == {
        "isomed",
        "codman-3000",
        "codman-archimedes",
        "infusaid",
        "tricumed-ip-series",
        "other-constant-flow",
    }
    assert flows["unknown"] == {"unknown"}
    assert set(flows) == {"constant", "programmable", "unknown"}


def test_catheter_models_belong_to_their_manufacturers():
    assert grouped(CatheterModel, "manufacturer") == {
        "medtronic": {
            "ascenda",
            "indura",
            "indura-1p",
            "medtronic-two-piece",
            "medtronic-catheter",
        },
        "codman": {"surestream"},
        "flowonix": {"flowonix-intrathecal"},
        "other": {"other-silicone", "other-polyurethane", "hybrid-not-as-designed"},
        "unknown": {"unknown"},
    }


def test_exits_censor_compete_or_are_excluded():
    assert grouped(ExitStatus, "effect") == {
        "censors": {
            "active",
            "replaced-end-of-service",
            "care-transferred",
            "site-closed",
            "lost-to-follow-up",
            "not-available",
            "consent-withdrawn",
            "withdrawn-by-physician",
            "unknown",
        },
        "competes": {
            "explant-elective",
            "replaced-for-failure",
            "explanted-for-complication",
            "therapy-discontinued",
            "death-related",
            "death-unrelated",
            "death-unknown",
        },
        "excluded": {"eligibility-not-met"},
    }


def test_exits_by_failure_or_complication_expect_an_event():
    assert {status.value for status in ExitStatus if status.expects_event} == {
        "replaced-for-failure",
        "explanted-for-complication",
    }


@pytest.mark.parametrize(
    ("grade", "fhir_r4"),
    [(1, "mild"), (2, "moderate"), (3, "severe"), (4, "severe"), (5, "severe")],
)
def test_severity_maps_to_fhir_r4(grade, fhir_r4):
    assert Severity(grade).fhir_r4 == fhir_r4


@pytest.mark.parametrize(
    ("outcome", "number"),
    [
        ("unknown", 0),
        ("recovered", 1),
        ("recovering", 2),
        ("not-recovered", 3),
        ("recovered-sequelae", 4),
        ("fatal", 5),
        ("not-applicable", None),
    ],
)
def test_outcome_maps_to_e2b_r3(outcome, number):
    assert Outcome(outcome).e2b_code == number


def test_pump_models_that_differ_in_volume_are_one_family():
    families = grouped(PumpModel, "family")

    assert families["synchromed-ii"] == {"synchromed-ii", "synchromed-ii-20", "synchromed-ii-40"}
    assert families["prometra-ii"] == {"prometra-ii", "prometra-ii-20", "prometra-ii-40"}
    assert families["prometra"] == {"prometra"}
    assert families["other"] == {"other-programmable", "other-constant-flow"}
    assert set(families) == set(PumpFamily.codes())
