"""Rows of which nothing optional is known: every page to read says so, and never "None"."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from django.contrib import admin
from django.urls import reverse

from registry.models import (
    AccessLog,
    Agreement,
    Category,
    Complication,
    Event,
    Exposure,
    Implant,
    Membership,
    Patient,
    PublishedRate,
    RoleProposal,
    Seal,
    Site,
    Snapshot,
    User,
    sealed,
)
from registry.models.verification import models_with_history
from registry.vocabulary import CODELISTS, SnapshotKind, State, WithdrawalReason
from tests.factories import (
    AgreementFactory,
    ComplicationFactory,
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    PatientFactory,
    RoleProposalFactory,
    SiteFactory,
    UserFactory,
)

OF_ALL = {Category, Complication}
OF_SITES = OF_ALL | {Event, Exposure, Implant, Patient}
OPENS = {
    "reporter": OF_SITES,
    "lead": OF_SITES | {Membership},
    "reviewer": OF_SITES | {Site},
    "manager": OF_SITES | {Agreement, Membership, RoleProposal, Site, Snapshot, User},
    "auditor": OF_ALL | {AccessLog, Seal},
}
"""Whose pages and histories each role opens: what the test is worth."""

STEPS = {
    "lead": {"withdraw", "discard"},
    "reviewer": {"ask", "duplicate", "recode", "reject", "reopen", "return"},
    "manager": {
        "ask",
        "discard",
        "duplicate",
        "recode",
        "reject",
        "reopen",
        "return",
        "withdraw",
    },
}
"""The steps whose pages each role is led to."""

CODED = "None of these: not serious"
"""The label of an answer, which stands in the filter of every list and in the form of a draft."""

MARKUP = re.compile(r"<(script|style|title)\b.*?</\1>|<[^>]*>", re.DOTALL)
ALT = re.compile(r'<img [^>]*alt="([^"]*)"[^>]*>')
TO_READ = re.compile(r'<div class="readonly">(.*?)</div>', re.DOTALL)
LISTED = re.compile(r'<t[dh] class="field-[^"]*"[^>]*>(.*?)</t[dh]>', re.DOTALL)
LINK = re.compile(r'<a [^>]*href="([^"#]+)')
FOLLOWED = frozenset({"queue", "event", "kind", "site"})
"""Parameters that make another page of an address; a filter or an order makes none."""
LEFT_ALONE = re.compile(
    r"/(add|logout|jsi18n|autocomplete|choices|verify|password)\b|/api/|/static/"
)


def text_of(markup):
    """What a reader sees of a piece of a page."""
    return " ".join(unescape(MARKUP.sub(" ", ALT.sub(r" \1 ", markup))).split())


def left_blank(model):
    """Every column of the model that may be blank, blank."""
    return {
        field.name: None if field.null else ""
        for field in model._meta.concrete_fields
        if field.blank and not field.primary_key
    }


def blank_event(state, **given):
    needed = {} if state == State.DRAFT else {"year": 2011}
    needed |= {"reason": WithdrawalReason.ENTERED_IN_ERROR} if state == State.WITHDRAWN else {}
    blank = left_blank(Event) | {"seriousness": None}
    return EventFactory(**blank | needed | given, state=state)


@pytest.fixture
def rows(own_site, reporter, lead, reviewer, manager, auditor):
    """A row of every kind with no more than it must have, and an event in every state."""
    site = SiteFactory(code="BARE-1", **left_blank(Site))
    patient = PatientFactory(site=own_site, **left_blank(Patient))
    implant = ImplantFactory(patient=patient, **left_blank(Implant))
    term = ComplicationFactory(code="pump-other", **left_blank(Complication))
    events = [blank_event(state, site=own_site, complication=term) for state in State]
    of_implant = {"implant": implant, "patient": patient, "months_since_implant": 12}
    events.append(blank_event(State.SUBMITTED, site=own_site, complication=term, **of_implant))
    rate = PublishedRate(
        **left_blank(PublishedRate) | {"complication": term},
        rate_id="R1",
        metric="pumps replaced",
        measure_type="rate",
        source="A paper",
    )
    with sealed(by=None, action="make-for-test") as seal:
        seal.save(rate)
    snapshot = Snapshot.objects.create(
        **left_blank(Snapshot),
        snapshot_id="5" * 64,
        kind=SnapshotKind.WORKING,
        schema_version="1",
        catalogue_version="1",
        events=1,
        implants=1,
        exposures=1,
    )
    return [
        *events,
        *(site, patient, implant, term, term.category, snapshot),
        ExposureFactory(site=own_site, **left_blank(Exposure)),
        AgreementFactory(user=manager, **left_blank(Agreement), expires_on="2030-01-01"),
        RoleProposalFactory(**left_blank(RoleProposal), expires_on="2030-01-01"),
        AccessLog.objects.create(**left_blank(AccessLog), action="list"),
        UserFactory(username="bare", **left_blank(User)),
        Membership.objects.first(),
        Seal.objects.first(),
    ]


def addresses_of(row):
    """The page and the history of a row."""
    key = getattr(row, "public_id", row.pk)
    name = f"admin:registry_{row._meta.model_name}"
    return [reverse(f"{name}_{page}", args=[key]) for page in ("change", "history")]


def every_page(client, rows):
    """Address and markup of every page that the client can reach: known rows, lists, and links."""
    waiting = [reverse("admin:index"), reverse("history")]
    waiting += [reverse("history") + f"?kind={m._meta.model_name}" for m in models_with_history()]
    waiting += [
        reverse(f"admin:registry_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model._meta.app_label == "registry"
    ]
    waiting += [address for row in rows for address in addresses_of(row)]
    seen = set()
    while waiting:
        address = waiting.pop()
        if address in seen or LEFT_ALONE.search(address):
            continue
        seen.add(address)
        answer = client.get(address)
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            assert answer.status_code in {200, 302, 403, 404}, address
            continue
        yield address, answer.text
        for link in LINK.findall(answer.text):
            parts = urlsplit(urljoin(address, unescape(link)))
            followed = [pair for pair in parse_qsl(parts.query) if pair[0] in FOLLOWED]
            if not parts.netloc and (followed or not parts.query) and "/admin/" in parts.path:
                waiting.append(parts.path + (f"?{urlencode(followed)}" if followed else ""))


@pytest.mark.parametrize("role", OPENS)
def test_a_blank_answer_reads_as_not_recorded_on_every_page(role, rows, request, signed_in):
    client = signed_in(request.getfixturevalue(role))
    opened = set()
    told = 0

    for address, page in every_page(client, rows):
        opened.add(address)
        assert not re.search(r"\bNone\b", text_of(page).replace(CODED, "")), address
        for words in map(text_of, (*TO_READ.findall(page), *LISTED.findall(page))):
            assert words, address
            told += words == "not recorded"

    assert told >= 10
    for page in (0, 1):
        assert {type(row) for row in rows if addresses_of(row)[page] in opened} == OPENS[role]
    steps = {found[1] for found in (re.search(r"/steps/(\w+)/", each) for each in opened) if found}
    assert steps == STEPS.get(role, set())
    assert any("queue=" in each for each in opened) == (role != "auditor")
    assert any(each.endswith("/replace/") for each in opened) == (
        role in {"reporter", "lead", "manager"}
    )


def test_the_rows_are_of_every_kind_that_the_admin_lists(rows):
    registered = {model for model in admin.site._registry if model._meta.app_label == "registry"}

    assert {type(row) for row in rows} == registered


def test_a_read_event_says_not_recorded_for_each_blank_question(rows, reviewer, signed_in):
    page = signed_in(reviewer).get(addresses_of(rows[1])[0]).text

    found = dict(re.findall(r'field-(\w+)">.*?<div class="readonly">(.*?)</div>', page, re.DOTALL))
    for name in ("severity", "seriousness", "interventions", "model"):
        assert found[f"{name}_words"] == "not recorded"
    assert found["outcome"] == found["root_cause"] == "not recorded"


def test_an_event_that_met_no_criterion_reads_as_not_serious(own_site, reviewer, signed_in):
    event = EventFactory(site=own_site, state="submitted", seriousness=frozenset({"none"}))

    client = signed_in(reviewer)
    page, history = (client.get(address).text for address in addresses_of(event))

    assert f'<div class="readonly">{CODED}</div>' in page
    assert f"<strong>{CODED}</strong>: yes" in history


def test_no_answer_of_any_list_is_called_none():
    labels = {code.label for codes in CODELISTS.values() for code in codes}

    assert not labels & {"None", "none", "", "Not recorded"}
