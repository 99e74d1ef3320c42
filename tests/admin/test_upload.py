"""Files sent by form: checked, then stored, all or nothing, and kept nowhere."""

import io
import json
import logging
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from registry.admin import upload, upload_forms
from registry.models import Event, Exposure, Implant, Seal, Site
from tests.admin.conftest import BACKEND
from tests.factories import SiteFactory

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
PAGE = "/admin/upload/"
EVENTS = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome,"
    "component_model\n"
)
ROW = "OWN-1,{key},,catheter-migration,{year},,3,none,recovered,ascenda\n"
EXPOSURES = "site,year,component,devices,component_months\nOWN-1,2015,pump,10,120\n"


@pytest.fixture(autouse=True)
def catalogue(db):
    call_command("load_catalogue", verbosity=0)


def events(*keys, year="2011"):
    return EVENTS + "".join(ROW.format(key=key, year=year) for key in keys)


def files(**texts):
    return {
        name: SimpleUploadedFile(f"{name}-of-mrs-smith.csv", text.encode())
        for name, text in texts.items()
    }


def check(client, **sent):
    return client.post(PAGE, {"check": "1", **sent})


def store(client, answer, **sent):
    token = answer.context["checked"].token
    return client.post(PAGE, {"store": "1", "checked": token, **sent}, follow=True)


def faults(answer):
    return [(file, line, column) for file, line, column, _words in answer.context["checked"].listed]


def test_files_are_checked_and_then_stored(own_site, reporter, signed_in):
    client = signed_in(reporter)

    checked = check(client, **files(events=events("e1", "e2")))
    assert checked.status_code == 200
    assert checked.context["checked"].lines == (
        "Events: 2 new, 0 updated, 0 unchanged. 1 of the new ones may repeat an event on file, or"
        " one of this file.",
    )
    assert not Event.objects.exists()
    answer = store(client, checked, **files(events=events("e1", "e2")))

    assert "Stored. Events: 2 new" in answer.text
    assert set(Event.objects.values_list("source_id", "state")) == {
        ("e1", "submitted"),
        ("e2", "submitted"),
    }
    seal = Seal.objects.latest("number")
    assert (seal.action, seal.actor, seal.rows) == (
        "import",
        reporter,
        3,
    )  # two events and their pair


def test_a_new_site_beside_others_is_told_before_it_is_made(own_site, manager, signed_in):
    answer = check(signed_in(manager), **files(events=events("e1").replace("OWN-1", "OWN-11")))

    assert answer.context["checked"].lines == (
        "New sites: OWN-11. Check that none is misspelled.",
        "Events: 1 new, 0 updated, 0 unchanged.",
    )


def test_where_nothing_would_change_no_storing_is_offered(own_site, reporter, signed_in):
    client = signed_in(reporter)
    store(client, check(client, **files(events=events("e1"))), **files(events=events("e1")))

    again = check(client, **files(events=events("e1")))
    empty = check(client, **files(events=events()))

    assert [answer.context["checked"].lines for answer in (again, empty)] == [
        ("Events: 0 new, 0 updated, 1 unchanged.",),
        ("Events: no row stands below the column names.",),
    ]
    for answer in (again, empty):
        assert "There is nothing to store:" in answer.text
        assert "Store the rows" not in answer.text


def test_page_leads_to_every_code(own_site, reporter, signed_in):
    client = signed_in(reporter)

    wrong = events("e1").replace("recovered", "gone")
    refused = check(client, **files(events=wrong))
    no_table = check(client, **files(events="%PDF-1.7"))

    for answer, times in ((client.get(PAGE), 1), (refused, 2), (no_table, 1)):
        assert answer.text.count('href="/api/v1/codelists.csv"') == times
        assert answer.text.count('href="/api/v1/complications.csv"') == times


def test_all_three_kinds_are_stored_together(own_site, manager, signed_in):
    client = signed_in(manager)
    implants = (SAMPLES / "taira-2013-implants.csv").read_text()
    sent = {
        "implants": implants,
        "exposures": EXPOSURES,
        "events": (SAMPLES / "taira-2013-events.csv").read_text(),
    }

    checked = check(client, **files(**sent))
    store(client, checked, **files(**sent))

    counted = (Implant.objects.count(), Exposure.objects.count(), Event.objects.count())
    assert counted == (814, 1, 62)


def test_faults_are_told_by_file_line_and_column_without_a_value(manager, signed_in):
    client = signed_in(manager)
    implants = (SAMPLES / "taira-2013-implants.csv").read_text()
    checked = check(client, **files(implants=implants))
    store(client, checked, **files(implants=implants))
    before = Site.objects.count()

    answer = check(client, **files(events=(SAMPLES / "bad-events.csv").read_text()))

    assert answer.status_code == 422
    assert faults(answer) == [
        ("events", 3, "complication"),
        ("events", 4, "severity"),
        ("events", 5, "year"),
        ("events", 6, "implant"),
        ("events", 7, "months_since_implant"),
        ("events", 8, "severity"),
        ("events", 9, "seriousness"),
        ("events", 10, "source_id"),
        ("events", 11, "root_cause"),
        ("events", 12, "months_since_implant"),
    ]
    assert "555-123-4567" not in answer.text
    assert "10 faults: nothing was stored" in answer.text
    assert (Event.objects.count(), Site.objects.count()) == (0, before)


def test_a_file_that_names_persons_is_refused_and_nothing_of_it_told(manager, signed_in):
    content = (SAMPLES / "identified-events.csv").read_bytes()
    lines = content.decode("cp1252").splitlines()
    persons = {cell.strip('"') for line in lines[1:] for cell in line.split(";")[:4]} - {""}

    answer = check(signed_in(manager), events=SimpleUploadedFile("events.csv", content))

    assert answer.status_code == 422
    assert faults(answer)[0] == ("events", 1, "MRN")
    assert len(persons) > 8
    assert not [cell for cell in persons if cell in answer.text]


def test_the_name_of_a_file_is_told_nowhere(own_site, reporter, signed_in, caplog):
    caplog.set_level(logging.DEBUG)

    answer = check(signed_in(reporter), **files(events=events("e1", year="1900")))

    assert faults(answer) == [("events", 2, "year")]
    assert "smith" not in answer.text.lower()
    assert "smith" not in caplog.text.lower()
    assert "1900" not in caplog.text


def test_one_bad_row_holds_up_all(own_site, reporter, signed_in):
    client = signed_in(reporter)
    checked = check(client, **files(events=events("e1")))

    answer = check(client, **files(events=events("e1") + ROW.format(key="e2", year="1900")))

    assert answer.context["checked"].token == ""
    assert "Store the rows" not in answer.text
    store(client, checked, **files(events=events("e1") + ROW.format(key="e2", year="1900")))
    assert not Event.objects.exists()


@pytest.mark.parametrize("changed", ["other-rows", "other-person", "accept", "none", "forged"])
def test_only_what_was_checked_is_stored(changed, own_site, manager, lead, signed_in):
    client = signed_in(manager)
    checked = check(client, **files(events=events("e1")))
    token = checked.context["checked"].token
    rows = events("e2") if changed == "other-rows" else events("e1")
    sent = {"store": "1", "checked": token, **files(events=rows)}
    sent |= {"accept": "on"} if changed == "accept" else {}
    sent |= {"none": {"checked": ""}, "forged": {"checked": token[:-2] + "xx"}}.get(changed, {})
    sender = signed_in(lead) if changed == "other-person" else client

    answer = sender.post(PAGE, sent)

    assert "These are not the files that were checked" in answer.text
    assert not Event.objects.exists()


def test_a_check_is_good_for_an_hour(own_site, reporter, signed_in, monkeypatch):
    client = signed_in(reporter)
    checked = check(client, **files(events=events("e1")))
    monkeypatch.setattr(upload, "CHECKED_FOR", -1)

    store_again = {"store": "1", "checked": checked.context["checked"].token}
    answer = client.post(PAGE, {**store_again, **files(events=events("e1"))})

    assert "check them again" in answer.text
    assert not Event.objects.exists()


def test_rows_of_another_site_are_refused(own_site, other_site, reporter, signed_in):
    theirs = events("e1").replace("OWN-1", "OTHER-2")

    answer = check(signed_in(reporter), **files(events=theirs))

    assert faults(answer) == [("events", 2, "site")]


def test_a_new_site_is_made_for_a_data_manager_only(reporter, manager, signed_in):
    rows = events("e1").replace("OWN-1", "NEW-3")

    assert faults(check(signed_in(reporter), **files(events=rows))) == [("events", 2, "site")]
    client = signed_in(manager)
    store(client, check(client, **files(events=rows)), **files(events=rows))

    assert Site.objects.filter(code="NEW-3").exists()


def test_device_time_is_declared_by_leads(own_site, reporter, lead, signed_in):
    by_reporter = check(signed_in(reporter), **files(exposures=EXPOSURES))
    by_lead = check(signed_in(lead), **files(exposures=EXPOSURES))

    assert faults(by_reporter) == [("exposures", 2, "site")]
    assert by_lead.context["checked"].lines == ("Exposures: 1 new, 0 updated, 0 unchanged.",)


def test_events_are_accepted_at_once_for_a_data_manager(own_site, manager, signed_in):
    client = signed_in(manager)
    assert 'name="accept"' in client.get(PAGE).text

    checked = check(client, accept="on", **files(events=events("e1")))
    store(client, checked, accept="on", **files(events=events("e1")))

    assert Event.objects.get().state == "accepted"


def test_a_reporter_cannot_have_events_accepted(own_site, reporter, signed_in):
    client = signed_in(reporter)

    assert 'name="accept"' not in client.get(PAGE).text
    answer = check(client, accept="on", **files(events=events("e1")))

    [(_file, _line, _column, words)] = answer.context["checked"].listed
    assert "right to accept events on arrival" in words
    assert not Event.objects.exists()


@pytest.mark.parametrize("role", ["reviewer", "auditor"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_files_are_taken_from_members_and_data_managers_only(role, method, request, signed_in):
    client = signed_in(request.getfixturevalue(role))

    assert getattr(client, method)(PAGE).status_code == 403


def test_strangers_are_led_to_sign_in(client):
    assert client.get(PAGE)["Location"] == "/admin/login/?next=/admin/upload/"


@pytest.mark.parametrize(("precision", "asked"), [("year", False), ("month", True)])
def test_the_month_is_told_where_it_is_kept(precision, asked, reporter, signed_in, settings):
    settings.REGISTRY_DATE_PRECISION = precision

    assert ("<code>month, " in signed_in(reporter).get(PAGE).text) is asked


def test_the_columns_of_each_file_are_told(reporter, signed_in):
    html = signed_in(reporter).get(PAGE).text

    assert "<code>site, year, component, devices, component_months</code>" in html
    assert "<code>model, procedures, refills</code>" in html


def test_a_file_is_asked_for_where_none_was_chosen(reporter, signed_in):
    assert "Choose a file." in check(signed_in(reporter)).text


def test_an_empty_file_is_a_fault(own_site, reporter, signed_in):
    assert faults(check(signed_in(reporter), **files(events=""))) == [("events", 1, "header")]


def test_a_form_without_its_token_is_refused(own_site, reporter):
    client = Client(enforce_csrf_checks=True)
    client.force_login(reporter, backend=BACKEND)

    answer = client.post(PAGE, {"check": "1", **files(events=events("e1"))})

    assert answer.status_code == 403


@pytest.mark.parametrize(("room", "taken"), [(0, True), (-1, False)])
def test_files_that_are_too_large_together_are_refused_with_the_mend(
    room, taken, own_site, lead, signed_in, monkeypatch
):
    sent = {"events": events("e1"), "exposures": EXPOSURES}
    monkeypatch.setattr(upload_forms, "MOST_BYTES", sum(map(len, sent.values())) + room)

    answer = check(signed_in(lead), **files(**sent))

    assert (answer.context["checked"] is not None) is taken
    assert ("Send them in parts" in answer.text) is not taken
    assert "Choose a file." not in answer.text


def test_a_file_too_large_by_itself_is_not_called_missing(own_site, lead, signed_in, monkeypatch):
    monkeypatch.setattr(upload_forms, "MOST_BYTES", 20)

    answer = check(signed_in(lead), **files(events=events("e1")))

    assert "Send them in parts" in answer.text
    assert "Choose a file." not in answer.text


def test_a_large_file_is_held_in_memory_and_leaves_nothing_on_disk(
    own_site, reporter, signed_in, settings, tmp_path
):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    written = []
    keys = [f"e{n}" for n in range(2_000)]

    class Watched(upload.MemoryOnly):
        def file_complete(self, file_size):
            file = super().file_complete(file_size)
            written.append((type(file.file), list(tmp_path.iterdir()), file.name))
            return file

    answer = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload, "MemoryOnly", Watched)
        answer = check(signed_in(reporter), **files(events=events(*keys)))

    assert written == [(io.BytesIO, [], "file.csv")]
    assert (
        answer.context["checked"].lines[0].startswith("Events: 2,000 new, 0 updated, 0 unchanged.")
    )


def test_a_closed_sites_member_sends_nothing(reporter, own_site, signed_in):
    SiteFactory(code="OTHER-2")
    reporter.memberships.update(active=False)

    assert faults(check(signed_in(reporter), **files(events=events("e1")))) == [
        ("events", 2, "site")
    ]


# How files are worded, and how faults are told --------------------------------------------------

WORDED = EVENTS + "OWN-1,e1,NA,Catheter Migration,2011.0,n/a,3,none,geheilt,Ascenda\n"


def json_file(text):
    return SimpleUploadedFile("words.json", text.encode())


def test_faults_are_told_by_kind_before_they_are_told_singly(own_site, reporter, signed_in):
    rows = events("e1", "e2", "e3", year="1900") + ROW.format(key="e4", year="2011")

    answer = check(signed_in(reporter), **files(events=rows))

    words = "No year before 1980: there were no implanted pumps"
    [(file, column, said, where)] = answer.context["checked"].by_kind
    assert (file, column, where) == ("events", "year", "3 rows, first at lines 2, 3, 4")
    assert said.startswith(words)
    assert answer.text.index("upload-kinds") < answer.text.index("Faults by line")


def test_what_is_read_differently_is_told_before_storing(own_site, reporter, signed_in):
    rows = EVENTS + "OWN-1,e1,,Catheter Migration,2011.0,,3,none,RECOVERED,Ascenda\n"

    answer = check(signed_in(reporter), **files(events=rows))

    assert answer.context["checked"].read == (
        "Events: read 3 cells by another spelling, label or name of a code.",
        "Events: read 1 cell as whole numbers, written with a point or comma and zeros.",
    )
    assert not Event.objects.exists()


def test_words_for_empty_are_taken_by_one_click_and_stay_taken(own_site, reporter, signed_in):
    client = signed_in(reporter)
    rows = WORDED.replace("geheilt", "recovered")

    refused = check(client, **files(events=rows))
    assert refused.context["checked"].words == ("NA", "n/a")
    again = client.post(PAGE, {"take_empty": "NA,n/a", **files(events=rows)})
    store(client, again, blank=again.context["checked"].blank, **files(events=rows))

    assert Event.objects.get().implant is None


def test_storing_needs_the_same_words_as_the_check(own_site, reporter, signed_in):
    client = signed_in(reporter)
    rows = WORDED.replace("geheilt", "recovered")

    checked = check(client, blank="NA, n/a", **files(events=rows))
    answer = store(client, checked, **files(events=rows))

    assert "These are not the files that were checked" in answer.text


def test_a_mapping_is_applied_to_the_files_it_is_sent_with(own_site, reporter, signed_in):
    words = '{"outcome": {"Geheilt": "recovered"}, "implant": {}}'
    sent = {"mapping": json_file('{"outcome": {"Geheilt": "recovered"}}'), "blank": "NA,n/a"}

    answer = check(signed_in(reporter), **sent, **files(events=WORDED))
    bad = check(signed_in(reporter), mapping=json_file(words), **files(events=WORDED))

    assert answer.context["checked"].token
    assert "has no codes" in bad.text


def test_a_lead_keeps_the_words_of_the_site(own_site, lead, reporter, signed_in):
    mapping = json_file('{"outcome": {"Geheilt": "recovered"}}')

    kept = signed_in(lead).post(
        PAGE, {"keep": "1", "site": own_site.code, "words": mapping}, follow=True
    )
    answer = check(signed_in(reporter), blank="NA,n/a", **files(events=WORDED))

    assert "are kept, and used from now on" in kept.text
    assert answer.context["checked"].token


def test_a_reporter_is_not_offered_to_keep_words(own_site, reporter, signed_in):
    client = signed_in(reporter)
    mapping = json_file('{"outcome": {"Geheilt": "recovered"}}')

    answer = client.post(PAGE, {"keep": "1", "site": own_site.code, "words": mapping})

    assert 'name="keep"' not in client.get(PAGE).text
    assert answer.status_code == 200
    assert Site.objects.get(pk=own_site.pk).words == {}


def test_a_mapping_with_faults_is_not_kept(own_site, lead, signed_in):
    mapping = json_file('{"outcome": {"Mueller": "healed"}}')

    answer = signed_in(lead).post(PAGE, {"keep": "1", "site": own_site.code, "words": mapping})

    assert "means no code of this column" in answer.text
    assert "Mueller" not in answer.text
    assert Site.objects.get(pk=own_site.pk).words == {}


def test_every_fault_is_downloaded_as_csv(own_site, reporter, signed_in):
    rows = events(*(f"e{n}" for n in range(250)), year="1900")

    answer = signed_in(reporter).post(PAGE, {"faults": "1", **files(events=rows)})

    lines = answer.text.splitlines()
    assert answer["Content-Disposition"] == 'attachment; filename="faults.csv"'
    assert lines[0] == "file,line,column,code,message"
    assert len(lines) == 251
    assert lines[250].startswith("events,251,year,too-early,")


def test_the_rows_read_so_far_are_told_while_files_are_checked(own_site, reporter, signed_in):
    rows = events(*(f"e{n}" for n in range(1_500)))

    reply = signed_in(reporter).post(
        PAGE, {"check": "1", **files(events=rows)}, headers={"X-Progress": "1"}
    )

    told = [json.loads(line) for line in b"".join(reply.streaming_content).splitlines()]
    assert told[:-1] == [{"kind": "events", "rows": 1_000}, {"kind": "events", "rows": 1_500}]
    assert "Events: 1,500 new" in told[-1]["page"]
    assert "Store the rows" in told[-1]["page"]


def test_the_template_is_offered_and_read_back(own_site, reporter, signed_in):
    client = signed_in(reporter)

    template = client.get(f"{PAGE}template.xlsx")
    answer = check(client, events=SimpleUploadedFile("t.xlsx", template.content))

    assert f'href="{PAGE}template.xlsx"' in client.get(PAGE).text
    assert answer.context["checked"].lines == ("Events: no row stands below the column names.",)
