"""The yearly report of a release: who may read it, and that nothing exact is in it."""

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html import unescape

import pytest
from django.core.management import CommandError, call_command

from registry import reporting
from registry.answers.yearly import NotProtected, as_everybody, report_of
from registry.records import Viewer
from registry.reporting.receipts import read
from registry.vocabulary import Measure, Role
from tests.factories import EventFactory

pytestmark = pytest.mark.usefixtures("released")
READERS = (Role.RESEARCHER, Role.ANALYST, Role.REVIEWER, Role.DATA_MANAGER)


def text_of(page):
    without = re.sub(r"<style>.*?</style>|<code>.*?</code>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without)).split())


def body(page):
    """What every reader is told alike, from the first heading on."""
    return text_of(page[page.index("<h1>") :])


def publish_another(followed):
    EventFactory(implant=followed[5], complication=followed[0].events.get().complication)
    call_command("freeze", release="2027Q4", early=True, verbosity=0)


@pytest.mark.parametrize("role", READERS)
def test_every_reader_gets_the_same_protected_report(role, as_role):
    told = as_role(Role.RESEARCHER).get("/report/").content.decode()

    reply = as_role(role).get("/report/")

    assert reply.status_code == 200
    assert body(reply.content.decode()) == body(told)
    assert "Exact numbers" not in told


def test_a_member_gets_protected_numbers_of_the_own_site_too(as_role, site):
    told = as_role(Role.RESEARCHER).get("/report/").content.decode()

    assert body(as_role(sites=[site]).get("/report/").content.decode()) == body(told)


def test_strangers_are_led_to_sign_in(client):
    assert client.get("/report/")["Location"] == "/login/?next=/report/"


def test_public_reads_it_where_statistics_are_public(client, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True

    assert client.get("/report/").status_code == 200


def test_an_auditor_may_not(as_role):
    reply = as_role(Role.AUDITOR).get("/report/")

    assert reply.status_code == 403
    assert "may not ask this question" in reply.content.decode()


def test_a_release_that_does_not_exist_is_refused_in_words(as_role):
    reply = as_role(Role.RESEARCHER).get("/report/?release=nosuch")

    assert reply.status_code == 400
    assert "There is no such release." in reply.content.decode()
    assert "nosuch" not in reply.content.decode().replace("release=nosuch", "")


def test_a_filter_is_refused_and_not_ignored(as_role):
    reply = as_role(Role.RESEARCHER).get("/report/?release=2026Q4&sex=female")

    assert reply.status_code == 400
    assert "A report is of a whole release" in reply.content.decode()


def test_two_migrations_of_twelve_catheters_are_told_as_hidden(as_role):
    page = as_role(Role.REVIEWER).get("/report/").content.decode()

    section = text_of(page.split('id="category-catheter"')[1].split("</section>")[0])
    assert re.search(r"All together: (suppressed|hidden).*Hidden does not mean none\.", section)
    assert not re.search(r"\b2 of 12\b|16\.67 %", text_of(page))


def test_every_answer_of_a_report_is_protected_whoever_asks():
    boss = Viewer(user_id=None, exact_everywhere=True, exact_sites=frozenset({"OWN-1"}), label="x")

    report = report_of("2026Q4", boss)

    assert report.answered
    assert {part.panel.meta["profile"] for part in report.answered} == {"protected"}
    assert not as_everybody(boss).exact_sites


def test_an_exact_answer_stops_the_report(monkeypatch):
    monkeypatch.setattr("registry.answers.yearly.as_everybody", lambda viewer: viewer)

    with pytest.raises(NotProtected):
        report_of("2026Q4", Viewer(exact_everywhere=True, label="reviewer"))


def test_each_answer_has_a_receipt_that_returns_it_and_the_digest_of_its_csv(as_role):
    client = as_role(Role.RESEARCHER)
    page = client.get("/report/").content.decode()
    pairs = re.findall(r"<code>([0-9a-f]{64})</code><br><code>(.*?)</code>", page)

    assert len(pairs) == len(report_of("2026Q4", Viewer(label="researcher")).answered)
    digest, receipt = pairs[0]
    csv = client.get(f"/api/v1/statistics/receipts/{receipt}/?format=csv").content
    assert "proportions" in reporting.answer_again(receipt, viewer=Viewer()).meta["measure"]
    assert digest == sha256(csv).hexdigest()


def test_a_refused_part_says_why_and_the_others_stand(as_role, monkeypatch):
    from registry.answers import yearly
    from registry.answers.asking import Panel, Refused
    from registry.records import Fault, NotAvailableAtThisDetail

    why = "too fine to be told here"
    asked = yearly.ask

    def ask(query, measure, viewer):
        if measure is Measure.SURVIVAL:
            refusal = NotAvailableAtThisDetail(Fault("", "too-fine", why))
            return Panel(query, measure, refused=Refused.because(refusal))
        return asked(query, measure, viewer)

    monkeypatch.setattr(yearly, "ask", ask)

    page = text_of(as_role(Role.RESEARCHER).get("/report/").content.decode())

    assert page.count(why) == 1  # this small catalogue has catheter problems alone
    assert re.search(r"1 part (is|are) refused", page)
    assert "Participation" in page


def test_page_runs_nothing_and_takes_nothing_from_elsewhere(as_role):
    reply = as_role(Role.RESEARCHER).get("/report/")
    page = reply.content.decode()

    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    policy = reply["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{hashed}';" in policy
    assert "script" not in policy
    assert "<script" not in page
    assert " style=" not in page
    sources = re.findall(r'src="([^"]*)"', page)
    assert sources
    for each in sources:
        assert b64decode(each.removeprefix("data:image/svg+xml;base64,")).startswith(b"<svg")


def test_overview_and_cite_lead_to_it(as_role):
    client = as_role(Role.RESEARCHER)

    for address in ("/dashboard/", "/cite/"):
        assert 'href="/report/">' in client.get(address).content.decode().split("<h1")[1]


def test_an_older_release_names_the_newer(as_role, followed):
    publish_another(followed)

    page = text_of(as_role(Role.RESEARCHER).get("/report/?release=2026Q4").content.decode())

    assert "report of release 2026Q4" in page
    assert "Release 2027Q4 is newer than this one" in page


def test_a_release_says_what_it_tells_otherwise_than_the_one_before(as_role, followed):
    publish_another(followed)

    page = as_role(Role.RESEARCHER).get("/report/?release=2027Q4").content.decode()

    assert "Since release 2026Q4 No rate of a category in five years" in text_of(page)
    receipts = re.findall(r"<code>([^<]+)</code>", page.split('id="errata"')[1])
    assert [read(each).label for each in receipts[:2]] == ["2026Q4", "2027Q4"]


def test_the_public_is_told_that_earlier_releases_are_not_compared(client, followed, settings):
    publish_another(followed)
    settings.REGISTRY_PUBLIC_STATISTICS = True

    page = text_of(client.get("/report/").content.decode())

    assert "No earlier release is compared" in page
    assert "Since release" not in page


def test_command_writes_what_the_page_tells(as_role, tmp_path, capsys):
    file = tmp_path / "report.html"

    call_command("report", release="2026Q4", output=file)

    assert "answers of release 2026Q4, 0 refused." in capsys.readouterr().out
    page = as_role(Role.RESEARCHER).get("/report/").content.decode()
    told = body(file.read_text(encoding="utf-8"))
    assert told == body(page).replace(" http://testserver/report/?release=2026Q4", "")


def test_command_writes_to_standard_output(capsys):
    call_command("report", release="2026Q4")

    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")


def test_command_refuses_a_release_that_does_not_exist():
    with pytest.raises(CommandError, match="There is no such release"):
        call_command("report", release="nosuch")


def test_command_says_where_the_file_cannot_be_written(tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("report", release="2026Q4", output=tmp_path / "no" / "report.html")
