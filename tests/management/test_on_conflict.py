"""manage.py import_csv --on-conflict: what becomes of rows that differ from the stored ones."""

from io import BytesIO

import pytest
from django.core.management import CommandError, call_command

from registry.intake import (
    ImportRefused,
    OnConflict,
    add_member,
    files,
    importing,
    judge_records,
    make_site,
    store_judged,
)
from registry.models import Event, Exposure, Implant, Patient, Seal, User
from registry.records import RowKind
from registry.vocabulary import MembershipRole, Role
from tests.factories import UserFactory

IMPLANTS = (
    "site,patient,implant,component,model,implant_year,age_band,sex,indication,drug,"
    "months_followed,exit_status,pump_site\n"
    "HERE-1,pt-1,im-1,pump,synchromed-ii-40,2015,40-64,female,stroke,{drug},{months},active,"
    "abdomen\n"
    "HERE-1,pt-2,im-2,pump,synchromed-ii-40,2016,40-64,male,stroke,baclofen,24,active,\n"
)
EXPOSURES = "site,year,component,devices,component_months\nHERE-1,2010,pump,{devices},40\n"
EVENTS = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome,"
    "organism\n"
    "HERE-1,ev-1,im-1,infection-pocket,2016,14,{severity},none,recovered,gram-negative\n"
)
KINDS = {"implants": IMPLANTS, "exposures": EXPOSURES, "events": EVENTS}
FIRST = {"drug": "morphine", "months": 30, "devices": 4, "severity": 2}
OTHER = {"drug": "baclofen", "months": 30, "devices": 5, "severity": 3}


@pytest.fixture
def site(db):
    """A site with a lead, who imports, and the catalogue."""
    call_command("load_catalogue", verbosity=0)
    made = make_site(code="HERE-1", name="Here", country="PT", by=None)
    lead = UserFactory(username="lead", roles=[Role.SITE_STAFF])
    add_member(made, user=lead, role=MembershipRole.LEAD, by=None)
    return made


@pytest.fixture
def imports(site, tmp_path, capsys):
    """Imports files of these kinds with these values; gives what is said."""

    def run(*options, kinds=tuple(KINDS), by="lead", **values):
        named = []
        for kind in kinds:
            path = tmp_path / f"{kind}.csv"
            text = values.pop(kind, None) or KINDS[kind].format(**FIRST | values)
            path.write_text(text)
            named += [f"--{kind}", str(path)]
        capsys.readouterr()
        call_command("import_csv", "--by", by, *named, *options)
        return capsys.readouterr().out.splitlines()

    return run


def drafts():
    """Make the events drafts again, as their site may change them."""
    Event.objects.update(state="draft")


def stored():
    return (
        Implant.objects.get(source_id="im-1").drug,
        Exposure.objects.get().devices,
        Event.objects.get().severity,
    )


@pytest.mark.parametrize("options", [(), ("--on-conflict", "refuse")])
def test_rows_that_differ_are_faults_by_default(options, imports, capsys):
    imports()

    with pytest.raises(SystemExit):
        imports(*options, **OTHER)

    assert capsys.readouterr().err.count("differs from the stored row") >= 3
    assert stored() == ("morphine", 4, 2)


def test_rows_that_differ_are_left_as_they_are(imports):
    imports()
    seals = Seal.objects.count()

    said = imports("--on-conflict", "skip", **OTHER)

    assert said == [
        "implants: 0 new, 0 updated, 1 unchanged, 1 skipped",
        "exposures: 0 new, 0 updated, 0 unchanged, 1 skipped",
        "events: 0 new, 0 updated, 0 unchanged, 1 skipped",
    ]
    assert stored() == ("morphine", 4, 2)
    assert Seal.objects.count() == seals


def test_rows_that_differ_are_changed_under_one_seal_with_their_history(imports):
    imports()
    drafts()
    seals = Seal.objects.count()

    said = imports("--on-conflict", "update", **OTHER)

    assert said == [
        "implants: 0 new, 1 updated, 1 unchanged",
        "exposures: 0 new, 1 updated, 0 unchanged",
        "events: 0 new, 1 updated, 0 unchanged",
    ]
    assert stored() == ("baclofen", 5, 3)
    assert Seal.objects.count() == seals + 1
    rows = (Implant.objects.get(source_id="im-1"), Exposure.objects.get(), Event.objects.get())
    assert [row.version for row in rows] == [2, 2, 2]
    assert all(row.history.count() == 2 for row in rows)
    assert imports("--on-conflict", "update", **OTHER)[0].endswith("0 updated, 2 unchanged")


def test_dry_run_says_what_would_be_changed_and_changes_nothing(imports):
    imports()
    drafts()
    seals = Seal.objects.count()

    said = imports("--on-conflict", "update", "--dry-run", **OTHER)

    assert said[0] == "implants: 0 new, 1 updated, 1 unchanged"
    assert stored() == ("morphine", 4, 2)
    assert Seal.objects.count() == seals


def test_columns_that_the_file_leaves_out_stay(imports):
    imports()
    drafts()
    without = EVENTS.replace(",organism", "").replace(",gram-negative", "").format(severity=3)

    imports("--on-conflict", "update", kinds=("events",), events=without)

    event = Event.objects.get()
    assert (event.severity, event.organism) == (3, "gram-negative")


def test_empty_cell_empties_a_column(imports):
    imports()
    drafts()
    emptied = EVENTS.replace("gram-negative", "").format(severity=2)

    imports("--on-conflict", "update", kinds=("events",), events=emptied)

    assert Event.objects.get().organism == ""


def test_file_that_differs_only_in_columns_it_leaves_out_changes_nothing(imports):
    imports()
    without = EVENTS.replace(",organism", "").replace(",gram-negative", "").format(severity=2)
    seals = Seal.objects.count()

    said = imports("--on-conflict", "update", kinds=("events",), events=without)

    assert said == ["events: 0 new, 0 updated, 1 unchanged"]
    assert Seal.objects.count() == seals


def test_event_that_is_submitted_is_not_its_sites_to_change(imports, capsys):
    imports()

    for options in ((), ("--dry-run",)):
        with pytest.raises(SystemExit):
            imports("--on-conflict", "update", *options, **OTHER)
        assert "events.csv:2: state: only a draft can be changed" in capsys.readouterr().err
    assert stored() == ("morphine", 4, 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pt-1,im-1", "pt-9,im-1", "patient"),
        ("female,stroke", "male,stroke", "sex"),
        (",pump,synchromed-ii-40,2015", ",catheter,ascenda,2015", "component"),
        ("2015,40-64", "2019,40-64", "implant_year"),
    ],
)
def test_what_a_change_of_the_row_refuses_is_refused_here_too(old, new, said, imports, capsys):
    imports()
    text = IMPLANTS.format(**FIRST).replace(old, new)

    with pytest.raises(SystemExit):
        imports("--on-conflict", "update", kinds=("implants",), implants=text)

    assert f"implants.csv:2: {said}: " in capsys.readouterr().err
    assert Implant.objects.get(source_id="im-1").version == 1


def test_implant_that_is_skipped_brings_no_patient(imports):
    imports()
    text = IMPLANTS.format(**FIRST).replace("pt-1,im-1", "pt-9,im-1")

    said = imports("--on-conflict", "skip", kinds=("implants",), implants=text)

    assert said == ["implants: 0 new, 0 updated, 1 unchanged, 1 skipped"]
    assert set(Patient.objects.values_list("source_id", flat=True)) == {"pt-1", "pt-2"}


def test_later_follow_up_needs_no_word(imports):
    imports()

    said = imports(kinds=("implants",), months=36)

    assert said == ["implants: 0 new, 1 updated, 1 unchanged"]


def test_earlier_follow_up_is_changed_where_that_is_said(imports):
    imports()
    drafts()

    said = imports("--on-conflict", "update", kinds=("implants",), months=20)

    assert said == ["implants: 0 new, 1 updated, 1 unchanged"]
    assert Implant.objects.get(source_id="im-1").months_followed == 20


def test_reporter_declares_no_device_time_by_an_update(imports, site, capsys):
    imports()
    reporter = UserFactory(username="reporter", roles=[Role.SITE_STAFF])
    add_member(site, user=reporter, by=None)

    with pytest.raises(SystemExit):
        imports("--on-conflict", "update", kinds=("exposures",), by="reporter", devices=5)

    assert "only a lead" in capsys.readouterr().err
    assert Exposure.objects.get().devices == 4


@pytest.mark.parametrize("order", [(4, 5), (5, 4), (5, 6)])
@pytest.mark.parametrize("batch", [1, 1000])
@pytest.mark.parametrize("kind", ["exposures", "implants", "events"])
def test_row_that_stands_twice_changes_nothing(kind, batch, order, imports, capsys, monkeypatch):
    imports()
    drafts()
    monkeypatch.setattr(files, "BATCH", batch)
    monkeypatch.setattr(importing, "BATCH", batch)
    value = {"exposures": "devices", "implants": "months", "events": "severity"}[kind]
    header, first, *_ = KINDS[kind].splitlines()
    scale = 1 if kind == "exposures" else {"implants": 5, "events": 0.5}[kind]
    rows = [first.format(**FIRST | {value: int(n * scale)}) for n in order]

    with pytest.raises(SystemExit):
        imports("--on-conflict", "update", kinds=(kind,), **{kind: "\n".join([header, *rows])})

    assert "an earlier row of this file has the same" in capsys.readouterr().err
    assert stored() == ("morphine", 4, 2)


def test_row_that_another_stored_after_the_check_is_not_changed_unseen(imports, site):
    lead = User.objects.get(username="lead")
    [judged, other] = [
        judge_records(
            {RowKind.EXPOSURE: BytesIO(EXPOSURES.format(devices=devices).encode())},
            by=lead,
            on_conflict=OnConflict.UPDATE,
        )
        for devices in (4, 5)
    ]
    store_judged(other)

    with pytest.raises(ImportRefused) as refused:
        store_judged(judged)

    assert [fault.code for fault in refused.value.faults] == ["differs-from-stored"]
    assert Exposure.objects.get().devices == 5


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_changes_are_made_once_and_by_a_check_undone(dry_run, imports, monkeypatch):
    imports()
    made = []
    apply = files.apply_updates
    monkeypatch.setattr(
        files, "apply_updates", lambda run, seal: (made.append(len(run.updates)), apply(run, seal))
    )

    imports("--on-conflict", "update", *dry_run, kinds=("exposures",), devices=5)

    assert made == [1]
    assert Exposure.objects.get().devices == (4 if dry_run else 5)


def test_another_word_is_refused(imports):
    with pytest.raises(CommandError, match="on-conflict"):
        imports("--on-conflict", "overwrite")
