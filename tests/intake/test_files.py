"""Files imported: all or nothing, the same again changes nothing, and each fault at its cell."""

import io
from pathlib import Path

import pytest

from registry.intake import (
    ImportRefused,
    change_site,
    import_records,
    load_catalogue,
    recode_event,
)
from registry.intake.importing import BATCH
from registry.models import Event, Exposure, Implant, Patient, Seal, Site
from registry.records import NotPermitted, RawReport, RowKind
from tests.factories import MembershipFactory

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
TAIRA = {
    RowKind.IMPLANT: SAMPLES / "taira-2013-implants.csv",
    RowKind.EVENT: SAMPLES / "taira-2013-events.csv",
}
IMPLANT = {
    "site": "BERN",
    "patient": "p9",
    "implant": "i9",
    "component": "catheter",
    "model": "ascenda",
    "implant_year": "2010",
    "age_band": "40-64",
    "sex": "female",
    "indication": "stroke",
    "drug": "baclofen",
    "months_followed": "24",
    "exit_status": "active",
    "refills": "3",
    "procedures": "1",
}
EVENT = {
    "site": "BERN",
    "source_id": "e1",
    "implant": "p1-cath",
    "complication": "catheter-migration",
    "year": "2011",
    "months_since_implant": "14",
    "severity": "3",
    "seriousness": "hospitalisation",
    "outcome": "recovered",
    "caused_by": "",
}
EXPOSURE = {
    "site": "BERN",
    "year": "2012",
    "component": "pump",
    "devices": "4",
    "component_months": "40",
    "model": "",
    "procedures": "1",
    "refills": "",
}
FATAL = {
    "complication": "death",
    "implant": "p1-pump",
    "severity": "5",
    "outcome": "fatal",
    "seriousness": "death",
    "year": "2015",
    "months_since_implant": "60",
}
TEMPLATES = {RowKind.IMPLANT: IMPLANT, RowKind.EXPOSURE: EXPOSURE, RowKind.EVENT: EVENT}


def rows(kind, *changes):
    """A row for each set of changes to the kind's template, on lines 2 and on."""
    return [
        RawReport(kind, TEMPLATES[kind] | change, line, f"{kind.value}.csv")
        for line, change in enumerate(changes, 2)
    ]


def take(*batches, by, **options):
    """Import rows of one or several kinds; the counts of each, as (new, updated, unchanged)."""
    files = {batch[0].kind: batch for batch in batches}
    counts = import_records(files, by=by, **options).counts
    return {kind.value: (c.new, c.updated, c.unchanged) for kind, c in counts.items()}


def refused(*batches, by, **options):
    """The (line, column, code) of each fault of an import that must be refused."""
    before = [model.objects.count() for model in (Site, Patient, Implant, Exposure, Event, Seal)]
    with pytest.raises(ImportRefused) as refusal:
        take(*batches, by=by, **options)
    after = [model.objects.count() for model in (Site, Patient, Implant, Exposure, Event, Seal)]
    assert after == before
    assert refusal.value.total == len(refusal.value.faults)
    return [(fault.line, fault.column, fault.code) for fault in refusal.value.faults]


@pytest.fixture
def taira(world):
    """The published cohort, imported and accepted by the data manager."""
    load_catalogue()
    return import_records(TAIRA, by=world.manager, accept=True)


def test_cohort_has_the_counts_of_its_publication(world, taira):
    # Taira et al., Neuromodulation 2013;16:266-272
    accepted = Event.objects.accepted().filter(site__code__startswith="TAIRA")

    assert [c.new for c in taira.counts.values()] == [814, 62]
    assert Patient.objects.filter(site__code__startswith="TAIRA").count() == 400
    assert Patient.objects.filter(site__code__startswith="TAIRA", sex="female").count() == 123
    assert {
        code: accepted.filter(complication=code).count()
        for code in ("catheter-migration", "infection-pocket", "csf-leak", "revision-surgery")
    } == {
        "catheter-migration": 25,
        "infection-pocket": 12,
        "csf-leak": 13,
        "revision-surgery": 1,
    }
    revision = accepted.get(complication="revision-surgery")
    assert revision.caused_by.complication_id == "baclofen-withdrawal"
    assert revision.caused_by.caused_by.complication_id == "catheter-migration"


def test_cohort_is_written_under_one_seal_with_a_history_row_each(world, taira):
    seal = Seal.objects.get(action="import")

    assert seal.rows == 4 + 400 + 814 + 62  # sites, patients, implants, events
    assert Event.history.filter(seal_number=seal.number).count() == 62


def test_cohort_imported_again_changes_nothing(world, taira):
    seals = Seal.objects.count()

    again = import_records(TAIRA, by=world.manager, accept=True)

    assert [(c.new, c.updated, c.unchanged) for c in again.counts.values()] == [
        (0, 0, 814),
        (0, 0, 62),
    ]
    assert Seal.objects.count() == seals


def test_bad_file_is_refused_with_its_ten_faults(world, taira):
    with pytest.raises(ImportRefused) as refusal:
        import_records({RowKind.EVENT: SAMPLES / "bad-events.csv"}, by=world.manager)

    assert refusal.value.total == 10
    assert [(fault.line, fault.column, fault.code) for fault in refusal.value.faults] == [
        (3, "complication", "unknown-code"),
        (4, "severity", "unknown-code"),
        (5, "year", "identifier-found"),
        (6, "implant", "identifier-found"),
        (7, "months_since_implant", "out-of-range"),
        (8, "severity", "grade-5-means-fatal"),
        (9, "seriousness", "unknown-code"),
        (10, "source_id", "repeated-in-file"),
        (11, "root_cause", "unknown-code"),
        (12, "months_since_implant", "in-the-future"),
    ]
    for told in ("came-loose", "2009-04-17", "n0", "999", "very", "555-123"):
        assert told not in str(refusal.value)
    assert not Event.objects.filter(source_id__startswith="b").exists()


def test_file_with_identifying_columns_is_refused(world, taira):
    with pytest.raises(ImportRefused) as refusal:
        import_records({RowKind.EVENT: SAMPLES / "identified-events.csv"}, by=world.manager)

    assert [(fault.line, fault.column) for fault in refusal.value.faults] == [
        (1, "MRN"),
        (1, "Patient name"),
        (1, "Date of birth"),
        (1, "Serial no"),
    ]


def events_file(*lines):
    """A file of events: the column names and these lines, each given by some cells."""
    cells = [",".join(line.get(column, "") for column in EVENT) for line in lines]
    return io.BytesIO("\n".join([",".join(EVENT), *cells]).encode())


@pytest.mark.parametrize(
    "line",
    [
        dict.fromkeys(EVENT, "Text"),
        {"year": "yyyy", "months_since_implant": "months", "severity": "1-5"},
        {"site": "Klinik", "complication": "Was", "year": "Jahr", "severity": "Grad"}
        | {"outcome": "Ausgang"},
    ],
    ids=["types", "units", "titles"],
)
def test_line_that_explains_the_columns_is_one_fault(world, line):
    with pytest.raises(ImportRefused) as refusal:
        import_records({RowKind.EVENT: events_file(line)}, by=world.manager)

    faults = [(fault.line, fault.column, fault.code) for fault in refusal.value.faults]
    assert faults == [(2, "row", "no-row-of-data")]


@pytest.mark.parametrize("line", [{"year": "in 2011"}, {"months_since_implant": "14 m"}])
def test_row_with_a_number_is_told_every_fault_of_its_cells(world, line):
    wrong = {**EVENT, "year": "x", "months_since_implant": "y", "severity": "z", "outcome": "w"}
    with pytest.raises(ImportRefused) as refusal:
        import_records(
            {RowKind.EVENT: events_file({**wrong, "seriousness": "v", **line})}, by=world.manager
        )

    told = {fault.column for fault in refusal.value.faults}
    assert told >= {"year", "months_since_implant", "severity", "outcome", "seriousness"}


def test_key_that_a_program_wrote_as_a_fraction_is_told_so(world):
    loose = {**EVENT, "implant": "", "months_since_implant": ""}
    lines = [
        {**EVENT, "implant": "53.0"},
        {**EVENT, "source_id": "e2", "implant": "i-99"},
        {**loose, "source_id": "e3", "caused_by": "7.0"},
        {**loose, "source_id": "e4", "caused_by": "e9"},
    ]
    with pytest.raises(ImportRefused) as refusal:
        import_records({RowKind.EVENT: events_file(*lines)}, by=world.manager)

    faults = refusal.value.faults
    assert [(fault.line, fault.code, "without the .0" in fault.detail) for fault in faults] == [
        (2, "unknown-implant", True),
        (3, "unknown-implant", False),
        (4, "unknown-event", True),
        (5, "unknown-event", False),
    ]
    assert not [key for key in ("53.0", "7.0", "e9") if key in str(refusal.value)]


def test_import_reads_streams_too(world, taira):
    stream = io.BytesIO(TAIRA[RowKind.EVENT].read_bytes())

    again = import_records({RowKind.EVENT: stream}, by=world.manager)

    assert again.counts[RowKind.EVENT].unchanged == 62


def test_import_in_many_batches_is_the_same_as_in_one(world, taira, monkeypatch):
    monkeypatch.setattr("registry.intake.files.BATCH", 7)
    dones = []

    again = import_records(
        TAIRA, by=world.manager, progress=lambda kind, done: dones.append((kind, done))
    )

    assert again.counts[RowKind.IMPLANT].unchanged == 814
    assert dones[:2] == [(RowKind.IMPLANT, 7), (RowKind.IMPLANT, 14)]
    assert dones[-1] == (RowKind.EVENT, 62)


def test_rows_land_submitted_or_accepted(world):
    assert take(rows(RowKind.EVENT, {}), by=world.reporter) == {"events": (1, 0, 0)}
    take(rows(RowKind.EVENT, {"source_id": "e2"}), by=world.manager, accept=True)

    assert Event.objects.get(source_id="e1").state == "submitted"
    assert Event.objects.get(source_id="e2").state == "accepted"


def test_rows_are_accepted_by_data_managers_only(world):
    with pytest.raises(NotPermitted):
        take(rows(RowKind.EVENT, {}), by=world.reporter, accept=True)


def test_rows_of_an_own_site_are_not_accepted_on_arrival(world):
    MembershipFactory(user=world.manager, site=world.site)

    assert refused(rows(RowKind.EVENT, {}), by=world.manager, accept=True) == [
        (2, "site", "not-permitted")
    ]


def test_rows_of_unknown_sites_make_them_for_a_data_manager(world):
    take(rows(RowKind.IMPLANT, {"site": "GENEVA"}), by=world.manager)

    assert Site.objects.get(code="GENEVA").implants.count() == 1


@pytest.mark.parametrize("site", ["BASEL", "GENEVA"])
def test_rows_of_foreign_and_unknown_sites_are_refused_alike(world, site):
    fault = (2, "site", "not-your-site")

    for kind in RowKind:
        assert refused(rows(kind, {"site": site}), by=world.lead) == [fault]


def test_rows_of_a_closed_site_are_refused(world):
    change_site(world.site, name="", country="", active=False, by=world.manager)

    assert refused(rows(RowKind.EVENT, {}), by=world.reporter) == [(2, "site", "not-your-site")]


def test_one_bad_file_keeps_all_out(world):
    faults = refused(
        rows(RowKind.IMPLANT, {}),
        rows(RowKind.EVENT, {}, {"source_id": "e2", "severity": "7"}),
        by=world.manager,
    )

    assert faults == [(3, "severity", "unknown-code")]


def test_dry_run_counts_and_stores_nothing(world):
    seals = Seal.objects.count()

    counts = take(rows(RowKind.IMPLANT, {"site": "GENEVA"}), by=world.manager, dry_run=True)

    assert counts == {"implants": (1, 0, 0)}
    assert not Site.objects.filter(code="GENEVA").exists()
    assert Seal.objects.count() == seals


def test_faults_beyond_the_first_two_hundred_are_counted(world):
    many = rows(RowKind.EVENT, *({"source_id": f"e{n}", "severity": "7"} for n in range(250)))

    with pytest.raises(ImportRefused) as refusal:
        take(many, by=world.reporter)

    assert len(refusal.value.faults) == 200
    assert refusal.value.total == 250
    assert refusal.value.faults[-1].line == 201


def test_faults_stand_in_the_order_of_the_lines(world):
    late = {"source_id": "e2", "severity": "7"}

    faults = refused(
        rows(RowKind.EVENT, {"implant": "n0"}, late, {"complication": "no"}), by=world.reporter
    )

    assert [line for line, *_ in faults] == [2, 3, 4]


# Implants ----------------------------------------------------------------------------------


def test_implant_is_kept_with_its_patient(world):
    take(rows(RowKind.IMPLANT, {"adjuncts": "morphine;clonidine"}), by=world.reporter)

    implant = Implant.objects.get(source_id="i9")
    assert (implant.site, implant.patient.source_id) == (world.site, "p9")
    assert (implant.patient.sex, implant.patient.indication) == ("female", "stroke")
    assert (implant.catheter_model, implant.pump_model) == ("ascenda", "")
    assert (implant.months_to_entry, implant.months_followed) == (0, 24)
    assert implant.adjuncts == {"morphine", "clonidine"}
    assert (implant.refills, implant.version) == (3, 1)


@pytest.mark.parametrize(
    "later",
    [
        {"months_followed": "30"},
        {"exit_status": "explant-elective"},
        {"refills": "4"},
        {"procedures": "2"},
        {"months_followed": "30", "exit_status": "lost-to-follow-up", "refills": "5"},
    ],
)
def test_implant_followed_further_is_updated(world, later):
    take(rows(RowKind.IMPLANT, {}), by=world.reporter)

    assert take(rows(RowKind.IMPLANT, later), by=world.reporter) == {"implants": (0, 1, 0)}

    implant = Implant.objects.get(source_id="i9")
    assert {name: str(getattr(implant, name)) for name in later} == later
    assert (implant.version, implant.history.count()) == (2, 2)
    assert (implant.patient.source_id, implant.age_band) == ("p9", "40-64")
    assert take(rows(RowKind.IMPLANT, later), by=world.reporter) == {"implants": (0, 0, 1)}


def test_implant_lost_and_found_again_is_updated(world):
    take(rows(RowKind.IMPLANT, {"exit_status": "lost-to-follow-up"}), by=world.reporter)
    found = {"exit_status": "active", "months_followed": "48"}

    assert take(rows(RowKind.IMPLANT, found), by=world.reporter) == {"implants": (0, 1, 0)}


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"months_followed": "23"}, "months_followed", "earlier-than-stored"),
        ({"refills": "2"}, "refills", "earlier-than-stored"),
        ({"procedures": ""}, "procedures", "earlier-than-stored"),
        ({"exit_status": ""}, "exit_status", "earlier-than-stored"),
        ({"exit_status": "active"}, "exit_status", "earlier-than-stored"),
        ({"model": "indura"}, "model", "differs-from-stored"),
        ({"implant_year": "2011"}, "implant_year", "differs-from-stored"),
        ({"drug": ""}, "drug", "differs-from-stored"),
        ({"patient": "p10"}, "patient", "differs-from-stored"),
        ({"component": "pump", "model": ""}, "component", "differs-from-stored"),
        ({"sex": "male"}, "sex", "patient-disagrees"),
    ],
)
def test_implant_that_differs_otherwise_is_refused(world, change, column, code):
    take(rows(RowKind.IMPLANT, {"exit_status": "explant-elective"}), by=world.reporter)

    faults = refused(
        rows(RowKind.IMPLANT, {"exit_status": "explant-elective"} | change), by=world.reporter
    )

    assert (2, column, code) in faults


def test_implant_stands_once_in_a_file(world, monkeypatch):
    twice = rows(RowKind.IMPLANT, {}, {"months_followed": "30"})
    repeated = [(3, "implant", "repeated-in-file")]

    assert refused(twice, by=world.reporter) == repeated
    monkeypatch.setattr("registry.intake.files.BATCH", 1)
    assert refused(twice, by=world.reporter) == repeated


@pytest.mark.parametrize("batch", [1, BATCH])
@pytest.mark.parametrize(
    ("change", "column"), [({"sex": "male"}, "sex"), ({"indication": ""}, "indication")]
)
def test_implants_of_a_patient_agree_within_a_file(world, monkeypatch, batch, change, column):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)

    faults = refused(rows(RowKind.IMPLANT, {}, {"implant": "i10"} | change), by=world.reporter)

    assert faults == [(3, column, "patient-disagrees")]


def test_implant_agrees_with_the_stored_patient(world):
    faults = refused(rows(RowKind.IMPLANT, {"patient": "p1"}), by=world.reporter)

    assert sorted(faults) == [
        (2, "indication", "patient-disagrees"),
        (2, "sex", "patient-disagrees"),
    ]


def test_implant_keeps_to_its_rules(world):
    late = rows(RowKind.IMPLANT, {"months_to_entry": "25"})

    assert refused(late, by=world.reporter) == [(2, "months_to_entry", "entry-after-follow-up")]


# Exposures ---------------------------------------------------------------------------------


def test_exposure_is_declared_by_a_lead(world):
    assert take(rows(RowKind.EXPOSURE, {}), by=world.lead) == {"exposures": (1, 0, 0)}

    exposure = Exposure.objects.get()
    assert (exposure.site, exposure.year, exposure.component) == (world.site, 2012, "pump")
    assert (exposure.devices, exposure.component_months) == (4, 40)
    assert (exposure.procedures, exposure.refills) == (1, None)
    assert take(rows(RowKind.EXPOSURE, {}), by=world.manager) == {"exposures": (0, 0, 1)}


def test_exposure_is_not_declared_by_a_reporter(world):
    assert refused(rows(RowKind.EXPOSURE, {}), by=world.reporter) == [(2, "site", "not-permitted")]


def test_exposure_that_differs_from_what_is_stored_is_refused(world):
    take(rows(RowKind.EXPOSURE, {}), by=world.lead)

    assert refused(rows(RowKind.EXPOSURE, {"devices": "5"}), by=world.lead) == [
        (2, "devices", "differs-from-stored")
    ]
    other = rows(RowKind.EXPOSURE, {"model": "prometra"}, {"component": "catheter"})
    assert take(other, by=world.lead) == {"exposures": (2, 0, 0)}


@pytest.mark.parametrize("batch", [1, BATCH])
def test_exposure_stands_once_in_a_file(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)

    faults = refused(rows(RowKind.EXPOSURE, {}, {"devices": "5"}), by=world.lead)

    assert faults == [(3, "year", "repeated-in-file")]


def test_exposure_keeps_to_its_rules(world):
    assert refused(rows(RowKind.EXPOSURE, {"component_months": "49"}), by=world.lead) == [
        (2, "component_months", "more-than-a-year")
    ]


# Events ------------------------------------------------------------------------------------


def test_event_may_name_an_implant_of_the_same_import(world):
    event = {"implant": "i9", "year": "2011"}

    counts = take(rows(RowKind.IMPLANT, {}), rows(RowKind.EVENT, event), by=world.reporter)

    assert counts == {"implants": (1, 0, 0), "events": (1, 0, 0)}
    assert Event.objects.get().patient.source_id == "p9"


def test_event_of_a_refused_implant_is_not_called_unknown(world):
    faults = refused(
        rows(RowKind.IMPLANT, {"sex": "?"}),
        rows(
            RowKind.EVENT,
            {"implant": "i9"},
            {"source_id": "e2", "implant": "i9", "caused_by": "e1"},
            {"source_id": "e3", "implant": "n0"},
        ),
        by=world.reporter,
    )

    assert faults == [(2, "sex", "unknown-code"), (4, "implant", "unknown-implant")]


def test_event_needs_a_source_id_in_a_file(world):
    assert refused(rows(RowKind.EVENT, {"source_id": ""}), by=world.reporter) == [
        (2, "source_id", "required")
    ]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"severity": "2"}, "severity"),
        ({"complication": "catheter-kink"}, "complication"),
        ({"outcome": ""}, "outcome"),
        ({"implant": "", "months_since_implant": ""}, "implant"),
        ({"interventions": "imaging-diagnostic"}, "interventions"),
        ({"seriousness": "none"}, "seriousness"),
    ],
)
def test_event_that_differs_from_what_is_stored_is_refused(world, change, column):
    take(rows(RowKind.EVENT, {}), by=world.reporter)

    faults = refused(rows(RowKind.EVENT, change), by=world.reporter)

    assert (2, column, "differs-from-stored") in faults


def test_event_that_was_recoded_since_is_still_the_same_report(world):
    take(rows(RowKind.EVENT, {}), by=world.reporter)
    event = Event.objects.get()
    recode_event(event.public_id, by=world.reviewer, complication="catheter-kink")

    assert take(rows(RowKind.EVENT, {}), by=world.reporter) == {"events": (0, 0, 1)}


@pytest.mark.parametrize(
    ("kind", "by", "again", "faults"),
    [
        (
            RowKind.EVENT,
            "reporter",
            {"year": "2042"},
            [("source_id", "repeated-in-file"), ("year", "in-the-future")],
        ),
        (
            RowKind.IMPLANT,
            "reporter",
            {"implant_year": "2042"},
            [("implant", "repeated-in-file"), ("implant_year", "in-the-future")],
        ),
        (
            RowKind.EXPOSURE,
            "lead",
            {"component_months": "90000"},
            [("year", "repeated-in-file"), ("component_months", "more-than-a-year")],
        ),
    ],
)
def test_row_that_stands_twice_is_told_its_other_faults_too(world, kind, by, again, faults):
    told = refused(rows(kind, {}, again), by=getattr(world, by))

    assert told == [(3, *fault) for fault in faults]


@pytest.mark.parametrize("batch", [1, BATCH])
def test_event_stands_once_in_a_file(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)

    faults = refused(rows(RowKind.EVENT, {}, {"severity": "2"}), by=world.reporter)

    assert faults == [(3, "source_id", "repeated-in-file")]


@pytest.mark.parametrize("batch", [1, 2, BATCH])
def test_event_cause_stands_anywhere_in_the_file(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    chain = rows(
        RowKind.EVENT,
        {"source_id": "e1", "caused_by": "e3"},
        {"source_id": "e2", "caused_by": "e1"},
        {"source_id": "e3", "caused_by": ""},
    )

    assert take(chain, by=world.reporter) == {"events": (3, 0, 0)}

    causes = dict(Event.objects.values_list("source_id", "caused_by__source_id"))
    assert causes == {"e1": "e3", "e2": "e1", "e3": None}
    assert take(chain, by=world.reporter) == {"events": (0, 0, 3)}


@pytest.mark.parametrize("batch", [1, BATCH])
def test_event_cause_may_be_stored_already(world, monkeypatch, batch):
    take(rows(RowKind.EVENT, {}), by=world.reporter)
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    effects = rows(
        RowKind.EVENT,
        {"source_id": "e2", "caused_by": "e1"},
        {"source_id": "e3", "caused_by": "e1"},
    )

    take(effects, by=world.reporter)

    assert Event.objects.filter(caused_by__source_id="e1").count() == 2


@pytest.mark.parametrize("batch", [1, 2, BATCH])
def test_event_causes_do_not_run_in_a_circle(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    circle = rows(
        RowKind.EVENT,
        {"source_id": "e1", "caused_by": "e3"},
        {"source_id": "e2", "caused_by": "e1"},
        {"source_id": "e3", "caused_by": "e2"},
        {"source_id": "e4", "caused_by": "e3"},
    )

    faults = refused(circle, by=world.reporter)

    assert faults
    assert {fault[1:] for fault in faults} == {("caused_by", "circle")}
    assert {fault[0] for fault in faults} <= {2, 3, 4}


def test_event_does_not_cause_itself(world):
    itself = rows(RowKind.EVENT, {"caused_by": "e1"})

    assert refused(itself, by=world.reporter) == [(2, "caused_by", "circle")]


@pytest.mark.parametrize("batch", [1, BATCH])
def test_event_cause_must_be_in_the_file_or_at_the_site(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    lost = rows(RowKind.EVENT, {}, {"source_id": "e2", "caused_by": "e7"})

    assert refused(lost, by=world.reporter) == [(3, "caused_by", "unknown-event")]


def test_event_cause_that_was_refused_is_not_called_unknown(world):
    both = rows(RowKind.EVENT, {"severity": "7"}, {"source_id": "e2", "caused_by": "e1"})

    assert refused(both, by=world.reporter) == [(2, "severity", "unknown-code")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("batch", [1, BATCH])
def test_event_cause_is_of_the_same_patient(world, monkeypatch, batch, order):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    pair = ({}, {"source_id": "e2", "implant": "i9", "year": "2011", "caused_by": "e1"})
    events = rows(RowKind.EVENT, *(pair[index] for index in order))

    faults = refused(rows(RowKind.IMPLANT, {}), events, by=world.reporter)

    assert faults == [(2 + order.index(1), "caused_by", "other-patient")]


@pytest.mark.parametrize("batch", [1, BATCH])
def test_event_patient_dies_once(world, monkeypatch, batch):
    monkeypatch.setattr("registry.intake.files.BATCH", batch)
    deaths = rows(RowKind.EVENT, FATAL, FATAL | {"source_id": "e2"})

    assert refused(deaths, by=world.reporter) == [(3, "complication", "second-death")]
    take(deaths[:1], by=world.reporter)
    assert refused(deaths[1:], by=world.reporter) == [(3, "complication", "second-death")]


def test_event_keeps_to_the_precision_of_the_registry(world, settings):
    dated = rows(RowKind.EVENT, {"month": "4"})

    assert refused(dated, by=world.reporter) == [(2, "month", "finer-than-kept")]
    settings.REGISTRY_DATE_PRECISION = "month"
    assert take(dated, by=world.reporter) == {"events": (1, 0, 0)}
    assert Event.objects.get().month == 4


def test_event_complication_must_be_current(world):
    assert refused(rows(RowKind.EVENT, {"complication": "catheter-break"}), by=world.reporter) == [
        (2, "complication", "retired-code")
    ]


def test_import_asks_a_fixed_number_of_questions_a_batch(world, django_assert_max_num_queries):
    many = rows(RowKind.EVENT, *({"source_id": f"e{n}"} for n in range(60)))

    with django_assert_max_num_queries(40):  # among them pairs that may be of one event
        take(many, by=world.reporter)
