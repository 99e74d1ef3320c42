"""The page of an event to read: what was answered, blanks folded, and changes since a look."""

import re
from html import unescape

import pytest
from django.urls import reverse

from registry import intake
from registry.models import Event
from registry.records import RawReport, RowKind
from tests.factories import EventFactory


def page(event):
    return reverse("admin:registry_event_change", args=[event.public_id])


def sections(html):
    """Title -> the fields of the section, in order."""
    found = {}
    for part in re.findall(r"<fieldset.*?</fieldset>", html, re.DOTALL):
        title = re.search(r"<h2[^>]*>(.*?)</h2>", part, re.DOTALL)[1]
        found[unescape(title).strip()] = re.findall(r'class="form-row field-(\w+)', part)
    return found


def marked(html):
    """What the page marks as changed: field -> its earlier answer."""
    rows = re.split(r'class="form-row field-', html)[1:]
    found = {}
    for row in rows:
        if was := re.search(r'class="tag changed">changed, was: ([^<]*)<', row):
            found[re.match(r"\w+", row)[0]] = was[1]
    return found


def change(event, by, **values):
    raw = RawReport(kind=RowKind.EVENT, values=values)
    return intake.change_event(event.public_id, raw, by=by)


@pytest.fixture
def event(own_site):
    return EventFactory(site=own_site, source_id="e-1", state="submitted", severity=2)


def test_a_page_to_read_has_answers_in_place_and_blanks_in_one_folded_section(
    event, reviewer, signed_in
):
    shown = sections(signed_in(reviewer).get(page(event)).text)

    assert list(shown)[:2] == ["What and when", "How bad"]
    assert shown["How bad"] == ["severity_words", "seriousness_words", "outcome"]
    assert "Why" not in shown
    [folded] = [title for title in shown if title.startswith("Not recorded: ")]
    assert "Related to the device" in folded
    assert "Organism" in folded
    assert "Severity" not in folded
    assert {"root_cause", "organism", "implant_words", "drug"} <= set(shown[folded])
    assert "led_to" not in str(shown)


def test_a_blank_grade_is_among_the_blanks_and_a_grade_is_not(own_site, reviewer, signed_in):
    blank = EventFactory(site=own_site, state="submitted", severity=None, seriousness=None)

    shown = sections(signed_in(reviewer).get(page(blank)).text)

    [folded] = [title for title in shown if title.startswith("Not recorded: ")]
    assert {"severity_words", "seriousness_words"} <= set(shown[folded])
    assert shown["How bad"] == ["outcome"]


def test_every_question_stands_once_on_a_page_to_read(event, reviewer, signed_in):
    shown = [
        name
        for names in sections(signed_in(reviewer).get(page(event)).text).values()
        for name in names
    ]

    assert len(shown) == len(set(shown))


def test_what_others_changed_since_a_look_is_marked_until_they_change_it_again(
    event, reporter, reviewer, signed_in
):
    client = signed_in(reviewer)
    assert marked(client.get(page(event)).text) == {}
    intake.return_event(event.public_id, by=reviewer, column="severity", ask="implausible")
    change(event, reporter, severity="3", organism="cutibacterium")
    intake.submit_event(event.public_id, by=reporter)

    first, second = client.get(page(event)), client.get(page(event))

    for answer in (first, second):
        assert marked(answer.text) == {"severity_words": "Moderate", "organism": "not recorded"}
        assert "what others changed since you looked on" in answer.text
    intake.take_back_event(event.public_id, by=reporter)
    change(event, reporter, outcome="recovering")
    intake.submit_event(event.public_id, by=reporter)
    assert marked(client.get(page(event)).text) == {"outcome": "Recovered"}


def test_an_answer_that_was_taken_away_is_marked_in_its_place(event, reporter, reviewer, signed_in):
    client = signed_in(reviewer)
    client.get(page(event))
    intake.take_back_event(event.public_id, by=reporter)
    change(event, reporter, severity="", seriousness="")
    intake.submit_event(event.public_id, by=reporter)

    html = client.get(page(event)).text

    assert "severity_words" in sections(html)["How bad"]
    assert marked(html)["severity_words"] == "Moderate"


def test_own_changes_and_a_first_look_are_not_marked(event, reporter, reviewer, signed_in):
    client = signed_in(reviewer)
    client.get(page(event))
    intake.recode_event(event.public_id, by=reviewer, complication=event.complication_id)

    assert marked(client.get(page(event)).text) == {}
    assert marked(signed_in(reporter).get(page(event)).text) == {}
    assert Event.objects.get().state == "submitted"
