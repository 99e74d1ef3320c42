"""A site declares the pattern of its keys once; then new keys are of it, at every door."""

import io

import pytest

from registry.intake import (
    ComponentReport,
    ImportRefused,
    change_event,
    change_implant,
    change_patient,
    declare_key_pattern,
    import_records,
    judge_patients,
    record_event,
    record_implant,
    record_patient,
    record_system,
    redact_key,
    replace_implant,
    store_patients,
)
from registry.models import Event, Implant, Patient, Seal, Site
from registry.records import (
    IdentifierFound,
    NotPermitted,
    NotYourSite,
    RawReport,
    Refusal,
    RowKind,
    StateConflict,
)
from tests.intake.test_files import EVENT, IMPLANT

UNLIKE = "unlike-the-pattern"
WORD = {"key_prefix": "KSG-", "key_digits": 4}
NONE = {"key_prefix": "", "key_digits": None}
PATIENT = {"site": "BERN", "source_id": "p9", "sex": "female", "indication": "stroke"}


@pytest.fixture
def declared(world):
    """The world, whose first site has declared its keys: KSG- and four digits."""
    declare_key_pattern("BERN", **WORD, by=world.lead)
    return world


def faults_of(call, *args, **options):
    with pytest.raises(Refusal) as refusal:
        call(*args, **options)
    return [(fault.column, fault.code) for fault in refusal.value.faults]


# Declaring -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["lead", "manager"])
def test_site_declares_its_keys_under_a_seal(world, who):
    by = getattr(world, who)

    declare_key_pattern("BERN", **WORD, by=by)

    site = Site.objects.get(code="BERN")
    assert (site.key_prefix, site.key_digits) == ("KSG-", 4)
    assert site.history.latest().key_prefix == "KSG-"
    seal = Seal.objects.latest("number")
    assert (seal.actor, seal.action) == (by, "declare-key-pattern")


def test_lead_declares_once_and_the_same_again_is_no_change(declared):
    before = Seal.objects.count()

    declare_key_pattern("BERN", **WORD, by=declared.lead)
    for other in (NONE, {**WORD, "key_digits": 5}):
        with pytest.raises(StateConflict) as refusal:
            declare_key_pattern("BERN", **other, by=declared.lead)
        assert "a data manager can change that" in refusal.value.faults[0].detail

    assert Seal.objects.count() == before
    assert Site.objects.get(code="BERN").key_digits == 4


def test_data_manager_changes_the_pattern_and_takes_it_away(declared):
    changed = declare_key_pattern("BERN", key_prefix="KSG-", key_digits=5, by=declared.manager)
    assert changed.key_digits == 5

    assert declare_key_pattern("BERN", **NONE, by=declared.manager).key_pattern is None
    assert declare_key_pattern("BERN", **WORD, by=declared.lead).key_digits == 4


def test_pattern_that_identifies_or_is_none_is_refused(world):
    with pytest.raises(IdentifierFound):
        declare_key_pattern("BERN", key_prefix="Meier-", key_digits=2, by=world.lead)
    for half, column in (({"key_prefix": "K-"}, "key_digits"), ({"key_digits": 2}, "key_prefix")):
        word = {**NONE, **half}
        assert faults_of(declare_key_pattern, "BERN", **word, by=world.lead) == [
            (column, "required")
        ]


def test_keys_of_a_site_are_its_leads_and_of_no_other_site(world):
    for word in (WORD, {"key_prefix": "Meier-", "key_digits": 2}):
        with pytest.raises(NotPermitted):
            declare_key_pattern("BERN", **word, by=world.reporter)
        with pytest.raises(NotYourSite):
            declare_key_pattern(world.other.code, **word, by=world.lead)


# Single rows -----------------------------------------------------------------------------------


def implant(**values):
    return RawReport(RowKind.IMPLANT, IMPLANT | values)


def event(**values):
    return RawReport(RowKind.EVENT, EVENT | values)


def test_new_key_of_another_form_is_refused_one_by_one(declared):
    by = declared.reporter

    assert faults_of(record_patient, PATIENT, by=by) == [("source_id", UNLIKE)]
    assert faults_of(record_implant, implant(), by=by) == [
        ("implant", UNLIKE),
        ("patient", UNLIKE),
    ]
    assert faults_of(record_event, event(), by=by) == [("source_id", UNLIKE)]
    system = [ComponentReport(RawReport(RowKind.IMPLANT, {**IMPLANT, "implant": "x-1"}))]
    assert faults_of(record_system, PATIENT, system, by=by) == [("source_id", UNLIKE)]
    good = {**PATIENT, "source_id": "KSG-0009"}
    assert faults_of(record_system, good, system, by=by) == [("catheter_implant", UNLIKE)]
    assert not Patient.objects.exclude(pk=declared.patient.pk).exists()
    assert not Event.objects.exists()


def test_key_of_the_pattern_is_taken(declared):
    by = declared.reporter
    named = {"patient": "KSG-0001", "implant": "KSG-0002"}

    assert record_implant(implant(**named), by=by).patient.source_id == "KSG-0001"
    assert record_event(event(source_id="KSG-0001"), by=by).source_id == "KSG-0001"


def test_key_that_is_made_is_taken(declared):
    by = declared.reporter

    made = record_implant(implant(patient="", implant=""), by=by, make_keys=True)
    stored = record_event(event(source_id=""), by=by, make_keys=True)

    assert made.source_id.startswith("i-")
    assert made.patient.source_id.startswith("p-")
    assert stored.source_id.startswith("e-")


def test_keys_on_file_stay_and_are_named_by_new_rows(declared):
    """The patient and the pump of the world have keys of another form."""
    by = declared.reporter

    second = record_implant(implant(patient="p1", implant="KSG-0002", sex="", indication=""), by=by)
    happened = record_event(event(source_id="KSG-0001", implant="p1-cath"), by=by)
    change_implant(
        declared.pump.public_id, RawReport(RowKind.IMPLANT, {"months_followed": "61"}), by=by
    )
    change_patient(declared.patient.public_id, {"indication": "stroke"}, by=by)

    assert second.patient == declared.patient
    assert happened.implant == declared.catheter


def test_changed_key_is_a_new_one(declared):
    by = declared.reporter
    pump, patient = declared.pump.public_id, declared.patient.public_id
    draft = record_event(event(source_id="KSG-0001"), by=by).public_id

    for key, faults in (("p2", [UNLIKE]), ("KSG-0007", [])):
        changes = (
            lambda key: change_implant(pump, RawReport(RowKind.IMPLANT, {"implant": key}), by=by),
            lambda key: change_patient(patient, {"source_id": key}, by=by),
            lambda key: change_event(draft, RawReport(RowKind.EVENT, {"source_id": key}), by=by),
            lambda key: redact_key("patient", patient, key=key, by=declared.manager),
        )
        for change in changes:
            if faults:
                assert [code for _, code in faults_of(change, key)] == faults
            else:
                change(key)

    assert Implant.objects.get(pk=declared.pump.pk).source_id == "KSG-0007"


def test_replacement_has_a_key_of_the_pattern(declared):
    ending = {"months_followed": "60", "exit_status": "replaced-end-of-service"}
    new = RawReport(RowKind.IMPLANT, {"implant_year": "2015", "months_followed": "1"})

    def put(key):
        named = RawReport(RowKind.IMPLANT, {**new.values, "implant": key})
        return replace_implant(declared.pump.public_id, ending, named, by=declared.reporter)

    assert faults_of(put, "p2") == [("implant", UNLIKE)]
    assert put("KSG-0003").source_id == "KSG-0003"


def test_other_sites_keys_are_their_own(declared):
    stored = record_patient({**PATIENT, "site": declared.other.code}, by=declared.stranger)

    assert stored.source_id == "p9"


# Files -----------------------------------------------------------------------------------------


def csv_of(*rows):
    header = list(rows[0])
    lines = [",".join(header), *(",".join(row[name] for name in header) for row in rows)]
    return io.BytesIO("\n".join(lines).encode())


def imported(world, *, implants=(), events=(), **options):
    given = ((RowKind.IMPLANT, implants), (RowKind.EVENT, events))
    files = {kind: csv_of(*rows) for kind, rows in given if rows}
    return import_records(files, by=world.reporter, **options)


def test_file_is_refused_by_line_and_field_and_never_echoes_the_key(declared):
    implants = [
        {**IMPLANT, "patient": "KSG-0001", "implant": "KSG-0001"},
        {**IMPLANT, "patient": "zq-81", "implant": "zq-82"},
        {**IMPLANT, "patient": "zq-81", "implant": "KSG-0002", "component": "pump", "model": ""},
    ]
    events = [{**EVENT, "source_id": "KSG-0001"}, {**EVENT, "source_id": "zq-83"}]

    with pytest.raises(ImportRefused) as refusal:
        imported(declared, implants=implants, events=events)

    found = [(fault.line, fault.column, fault.code) for fault in refusal.value.faults]
    assert found == [
        (3, "implant", UNLIKE),
        (3, "patient", UNLIKE),
        (4, "patient", UNLIKE),
        (3, "source_id", UNLIKE),
    ]
    assert "zq-8" not in str([fault.detail for fault in refusal.value.faults])
    assert "such as KSG-0001" in refusal.value.faults[0].detail


def test_file_of_rows_on_file_changes_nothing_whatever_their_keys(world):
    implants = [IMPLANT]
    events = [EVENT]
    imported(world, implants=implants, events=events)
    declare_key_pattern("BERN", **WORD, by=world.lead)

    assert imported(world, implants=implants, events=events).changes_nothing
    later = [{**IMPLANT, "months_followed": "30"}]
    counts = imported(world, implants=later).counts[RowKind.IMPLANT]
    assert (counts.new, counts.updated) == (0, 1)


def test_pattern_declared_between_check_and_storing_counts(world):
    sent = [(1, PATIENT)]
    judged = judge_patients(sent, by=world.reporter)
    declare_key_pattern("BERN", **WORD, by=world.lead)

    with pytest.raises(ImportRefused):
        store_patients(judged)

    assert not Patient.objects.filter(source_id="p9").exists()


@pytest.mark.parametrize("stored", [True, False])
def test_patients_in_bulk_are_refused_unless_they_are_on_file(world, stored):
    sent = [(1, {**PATIENT, "source_id": "KSG-0001"}), (2, PATIENT)]
    if stored:
        record_patient(PATIENT, by=world.reporter)
    declare_key_pattern("BERN", **WORD, by=world.lead)

    if stored:
        assert judge_patients(sent, by=world.reporter).counts.new == 1
        return
    with pytest.raises(ImportRefused) as refusal:
        judge_patients(sent, by=world.reporter)
    (fault,) = refusal.value.faults
    assert (fault.line, fault.column, fault.code) == (2, "source_id", UNLIKE)
