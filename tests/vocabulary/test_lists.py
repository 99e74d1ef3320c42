"""The code lists as they are published: what stands here may be added to and never changed."""

import re

import pytest

from registry.vocabulary import BIT_SETS, CODELISTS, Code

UNDERSCORED = {"counting", "cell-status"}
"""Lists that follow the statistics API's parameter and column style."""

PUBLISHED = {
    "actuality": "actual near-miss",
    "age-band": "0-5 6-11 12-17 18-39 40-64 65-79 80-89 90-plus unknown",
    "age-group": "child adult older unknown",
    "catheter-model": """
        ascenda indura indura-1p medtronic-two-piece medtronic-catheter surestream
        flowonix-intrathecal other-silicone other-polyurethane hybrid-not-as-designed unknown""",
    "cell-status": "ok zero suppressed hidden partial no_denominator unstable",
    "component": "pump catheter",
    "counting": "events episodes first_event first_in_row devices patients",
    "date-precision": "year month",
    "days-since-procedure": """
        0-7 8-30 31-60 61-90 91-365 over-365 not-applicable unknown""",
    "days-since-refill": "0-1 2-7 8-30 31-90 over-90 not-applicable unknown",
    "denominator": "pump-months catheter-months procedures refills",
    "detection": """
        symptom alarm refill-visit refill-volume-discrepancy routine-imaging imaging-for-symptom
        interrogation-log intra-operative laboratory returned-product post-mortem other unknown""",
    "drug": """
        morphine hydromorphone fentanyl sufentanil pethidine methadone diamorphine
        bupivacaine levobupivacaine ropivacaine lidocaine clonidine dexmedetomidine ziconotide
        baclofen ketamine gabapentin midazolam droperidol octreotide neostigmine adenosine
        floxuridine methotrexate saline other unknown""",
    "drug-class": """
        opioid local-anaesthetic alpha2-agonist calcium-channel-blocker gabab-agonist other
        chemotherapy none unknown""",
    "evidence": "seen abstract unverified convention",
    "exit-effect": "censors competes excluded",
    "exit-status": """
        active replaced-end-of-service explant-elective care-transferred site-closed
        lost-to-follow-up not-available consent-withdrawn withdrawn-by-physician
        replaced-for-failure explanted-for-complication therapy-discontinued death-related
        death-unrelated death-unknown eligibility-not-met unknown""",
    "flow-kind": "programmable constant unknown",
    "hidden-reason": "population exposure parts margins curve curve-joined curve-end",
    "imdrf-relation": "exact narrower broader sign",
    "imdrf-role": "primary further",
    "indication": """
        failed-back-surgery degenerative-spine spinal-stenosis crps neuropathic-peripheral
        neuropathic-central neuropathic-unspecified arachnoiditis vertebral-fracture
        chronic-pancreatitis-visceral arthritis phantom-postamputation other-pain-noncancer
        cancer-direct cancer-treatment other-pain-cancer
        cerebral-palsy stroke traumatic-brain-injury hypoxic-brain-injury other-spasticity-cerebral
        multiple-sclerosis spinal-cord-injury hereditary-spastic-paraplegia tumour-or-myelopathy
        other-spasticity-spinal spasticity-unspecified
        dystonia pain-and-spasticity other unknown""",
    "indication-group": """
        pain-noncancer pain-cancer spasticity-cerebral spasticity-spinal spasticity-unspecified
        dystonia combined other""",
    "intervention": """
        none-observation imaging-diagnostic reprogramming dose-change drug-change reservoir-emptied
        reservoir-refill-corrected csf-drainage reversal-agent oral-or-iv-substitution antibiotics
        aspiration-drainage blood-patch dural-repair wound-care wound-revision pocket-revision
        catheter-revision catheter-replacement temporary-catheter pump-revision pump-replacement
        system-explant-no-replacement system-explant-delayed-reimplant decompressive-surgery
        intensive-care therapy-stopped other unknown""",
    "label-status": "on-label-mono off-label-mono off-label-admixture unknown",
    "manufacturer": "medtronic flowonix codman infusaid tricumed other unknown",
    "measure": """
        counts rates proportions survival incidence burden comparison funnel trend signals
        cascades coverage""",
    "organism": """
        staphylococcus-aureus staphylococcus-aureus-mrsa coagulase-negative-staphylococcus
        cutibacterium gram-negative fungal polymicrobial other culture-negative not-cultured
        unknown""",
    "origin": "drug procedure patient catheter pump programming",
    "outcome": """
        recovered recovering not-recovered recovered-sequelae fatal unknown not-applicable""",
    "procedure": "primary-implant replacement revision reimplant trial unknown",
    "profile": "exact protected",
    "pooled-age-band": "0-5 6-11 12-17 18-39 40-64 65-79 80-plus unknown",
    "published-measure": "proportion rate share prevalence survival failure",
    "pump-family": """
        synchromed-8615-8618 synchromed-el synchromed-ii synchromed-iii synchromed isomed prometra
        prometra-ii medstream codman-3000 codman-archimedes infusaid siromedes tricumed-ip-series
        other unknown""",
    "pump-model": """
        synchromed-8615-8618 synchromed-el synchromed-ii synchromed-ii-20 synchromed-ii-40
        synchromed-iii synchromed-iii-20 synchromed-iii-40 synchromed isomed prometra prometra-ii
        prometra-ii-20 prometra-ii-40 medstream codman-3000 codman-archimedes infusaid siromedes
        tricumed-ip-series other-programmable other-constant-flow unknown""",
    "pump-plane": "subcutaneous subfascial unknown",
    "pump-site": "abdomen buttock other unknown",
    "relatedness": "not-related possible probable causal not-assessed",
    "root-cause": """
        device-design-or-manufacture device-wear-or-end-of-life device-damage-in-handling
        device-interaction-external-field surgical-technique anatomy-or-body-growth
        patient-manipulation-or-trauma infection-perioperative infection-haematogenous
        drug-formulation-or-compounding drug-pharmacology off-label-admixture prescribing-error
        programming-error refill-technique missed-follow-up communication-or-handover
        not-investigated unknown""",
    "quality-rule": """
        cause-not-handed-in cause-not-counted death-exit-without-event end-without-event
        explant-without-consequence exposure-year-missing fatal-without-death-exit
        grade-4-not-life-threatening granuloma-without-opioid hospitalised-grade-1
        infection-without-organism mri-stall-without-mri no-device-named
        overdose-without-cause same-within-a-month serious-without-intervention
        serious-without-outcome severity-missing withdrawal-long-after-cause
        withdrawal-of-other-drug""",
    "query-answer": """
        corrected confirmed not-known""",
    "query-ask": """
        missing implausible contradicts not-specific not-linked""",
    "query-state": """
        open answered closed""",
    "seriousness": """
        death life-threatening hospitalisation permanent-impairment intervention-to-prevent
        chronic-disease fetal-congenital medically-important none""",
    "sex": "female male other unknown",
    "snapshot-kind": "working release",
    "state": "draft submitted accepted rejected duplicate withdrawn",
    "studied-ages": "paediatric adult mixed not-stated",
    "term-language": "en de fr nl",
    "therapy": "baclofen opioid ziconotide analgesic mixed not-stated",
    "volume-discrepancy": """
        none more-left-than-expected less-left-than-expected not-measured unknown""",
    "withdrawal-reason": """
        entered-in-error consent-withdrawn not-an-event duplicate-of-other other
        not-enough-information not-confirmed wrong-implant expected-course out-of-scope
        new-information judged-in-error discarded""",
    "yes-no-unknown": "yes no unknown",
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_list_holds_the_published_codes(name):
    assert set(CODELISTS[name].codes()) == set(PUBLISHED[name].split())


@pytest.mark.parametrize("codelist", BIT_SETS)
def test_bit_set_keeps_its_published_order(codelist):
    name = next(name for name, listed in CODELISTS.items() if listed is codelist)
    published = PUBLISHED[name].split()

    assert list(codelist.codes()[: len(published)]) == published


def test_severity_holds_the_five_grades():
    assert CODELISTS["severity"].codes() == (1, 2, 3, 4, 5)


def test_every_list_is_published_under_its_name():
    assert set(CODELISTS) == {*PUBLISHED, "severity"}


def test_every_list_has_a_docstring():
    assert not [name for name, codelist in CODELISTS.items() if not codelist.__doc__]


@pytest.mark.parametrize("name", sorted(CODELISTS))
def test_codes_have_the_stable_form(name):
    form = r"[a-z][a-z0-9_]*" if name in UNDERSCORED else r"[a-z0-9][a-z0-9-]*"

    codes = [str(code) for code in CODELISTS[name].codes()]

    assert not [code for code in codes if not re.fullmatch(form, code)]
    assert not [code for code in codes if len(code) > 40], "code columns hold 40 characters"


@pytest.mark.parametrize("name", sorted(CODELISTS))
def test_labels_are_short_and_each_its_own(name):
    labels = [member.label for member in CODELISTS[name]]

    assert all(label.strip() == label and 0 < len(label) <= 60 for label in labels)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", sorted(CODELISTS))
def test_definitions_are_sentences_and_each_its_own(name):
    definitions = [member.definition for member in CODELISTS[name]]

    assert not [text for text in definitions if not re.fullmatch(r"[A-Z0-9].{6,}\.", text)]
    assert len(set(definitions)) == len(definitions)


@pytest.mark.parametrize("name", sorted(set(CODELISTS) - {"severity"}))
def test_members_are_named_after_their_codes(name):
    for member in CODELISTS[name]:
        assert isinstance(member, Code)
        assert member.name.endswith(member.value.upper().replace("-", "_"))
