"""Every verb of intake leaves one seal and a history row for each row it wrote; a new one must."""

import inspect
from datetime import timedelta

import pytest
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry import intake
from registry.intake import ComponentReport, FollowUp
from registry.models import DuplicateCandidate, Membership, RoleProposal, Seal, User, sealed
from registry.models.verification import models_with_history, verify_trail
from registry.records import RawReport, RowKind
from registry.vocabulary import AgreementDecision, Role
from tests.factories import (
    AgreementFactory,
    EventFactory,
    ExposureFactory,
    RoleProposalFactory,
    UserFactory,
)
from tests.intake.conftest import report
from tests.intake.test_catalogue import NEW
from tests.intake.test_devices import exposure, implant, patch
from tests.intake.test_systems import ENDING, PATIENT, SUCCESSOR, component, raw

ERROR = "entered-in-error"
READING = {
    "needs_a_second",
    "open_to_role",
    "columns_not_kept",
    "rows_of_key",
    "foreseen_queries",
    "identifying_keys",
    "judge_records",
    "latest_last_day",
    "missing_for_submission",
    "open_decisions",
    "open_steps",
    "judging",
    "export_rows",
    "may_keep_words",
    "site_to_export",
    "told_rows",
    "judge_patients",
    "told_patients",
    "catalogue_names",
    "wording_of",
    "likely_duplicates",
    "may_close",
    "may_close_queries",
    "standings_of",
    "readable_columns",
}
"""Functions of intake that write nothing."""
NOBODY_S = {"remind_of_agreement"}
"""Verbs that run by the clock."""


def event_in(world, state, **values):
    return EventFactory(implant=world.catheter, state=state, **values)


def asked(world):
    """A query of a reviewer about an event that counts."""
    event = event_in(world, "submitted")
    return intake.raise_query(event.public_id, by=world.reviewer, column="outcome", ask="missing")


def followed_up(world):
    """Both implants with all months that have passed for certain."""
    now = timezone.now()
    months = str(12 * (now.year - 2010) + now.month - 13)
    both = (world.pump, world.catheter)
    intake.follow_up([intake.FollowUp(each.public_id, months) for each in both], by=world.lead)


def three_files(world):
    """Two implants of a new patient, a declaration and two events."""
    implants = [
        {"site": "BERN", "patient": "p9", "implant": key, "component": part, "implant_year": "2015"}
        | {"months_followed": "24"}
        for key, part in (("i9", "pump"), ("c9", "catheter"))
    ]
    declared = exposure().values
    events = [report(source_id=key, implant="c9", year="2016").values for key in ("e8", "e9")]
    return {
        kind: [RawReport(kind, values, line) for line, values in enumerate(rows, 2)]
        for kind, rows in (
            (RowKind.IMPLANT, implants),
            (RowKind.EXPOSURE, [declared]),
            (RowKind.EVENT, events),
        )
    }


def a_pair(world):
    """Two reports that may be of one event."""
    first, second = event_in(world, "submitted"), event_in(world, "submitted")
    with sealed(by=None, action="test") as seal:
        pair = DuplicateCandidate(site=world.site, first=first, second=second, reasons=1)
        seal.save(pair)
    return pair


def member(world):
    return Membership.objects.get(user=world.lead)


def study(world, **given):
    """A request for an agreement, or an agreement, of a researcher."""
    person = UserFactory(roles=[Role.RESEARCHER])
    ends = timezone.now().date() + timedelta(days=20)
    return AgreementFactory(user=person, expires_on=ends, **given)


def first_granted(world):
    """A request that one data manager granted, and another who is to confirm it."""
    request = study(world, decision=AgreementDecision.FIRST_GRANT, granted_by=world.manager)
    return request, UserFactory(roles=[Role.DATA_MANAGER])


def nurse(world, **given):
    """A person whom a data manager is to change, as the person is."""
    person = UserFactory(username="nurse", roles=[Role.SITE_STAFF])
    same = {"username": "nurse", "email": "", "is_staff": True, "is_active": True}
    return person, same | {"roles": [Role.SITE_STAFF]} | given


def proposed(world):
    """The role of a reviewer, proposed for somebody, and another data manager."""
    last = timezone.now().date() + timedelta(days=3)
    proposal = RoleProposalFactory(proposed_by=world.manager, expires_on=last)
    return proposal, UserFactory(roles=[Role.DATA_MANAGER])


def generator(world):
    return TOTPDevice.objects.create(user=world.reporter, name="phone", confirmed=False)


# Verb -> (what it is to be tried upon, the call, how many rows it writes or None for a lot).
VERBS = {
    "record_event": (None, lambda w, _: intake.record_event(report(), by=w.reporter), 1),
    "change_event": (
        lambda w: intake.record_event(report(), by=w.reporter),
        lambda w, e: intake.change_event(
            e.public_id, patch(RowKind.EVENT, severity="2"), by=w.reporter
        ),
        1,
    ),
    "submit_event": (
        lambda w: event_in(w, "draft"),
        lambda w, e: intake.submit_event(e.public_id, by=w.reporter),
        1,
    ),
    "accept_event": (
        lambda w: event_in(w, "submitted"),
        lambda w, e: intake.accept_event(e.public_id, by=w.reviewer),
        1,
    ),
    "reject_event": (
        lambda w: event_in(w, "submitted"),
        lambda w, e: intake.reject_event(e.public_id, by=w.reviewer, reason=ERROR),
        1,
    ),
    "mark_duplicate": (
        lambda w: (event_in(w, "accepted"), event_in(w, "submitted")),
        lambda w, two: intake.mark_duplicate(two[1].public_id, of=two[0].public_id, by=w.reviewer),
        1,
    ),
    "recode_event": (
        lambda w: event_in(w, "submitted"),
        lambda w, e: intake.recode_event(e.public_id, by=w.reviewer, complication="catheter-kink"),
        1,
    ),
    "take_back_event": (
        lambda w: event_in(w, "submitted"),
        lambda w, e: intake.take_back_event(e.public_id, by=w.reporter),
        1,
    ),
    "return_event": (
        lambda w: event_in(w, "submitted"),
        lambda w, e: intake.return_event(
            e.public_id, by=w.reviewer, column="outcome", ask="missing"
        ),
        2,  # the event and the query
    ),
    "discard_event": (
        lambda w: event_in(w, "draft"),
        lambda w, e: intake.discard_event(e.public_id, by=w.lead),
        1,
    ),
    "raise_query": (
        lambda w: event_in(w, "submitted"),
        lambda w, e: intake.raise_query(
            e.public_id, by=w.reviewer, column="outcome", ask="missing"
        ),
        1,
    ),
    "answer_query": (
        asked,
        lambda w, q: intake.answer_query(q.public_id, by=w.reporter, answer="confirmed"),
        1,
    ),
    "close_query": (asked, lambda w, q: intake.close_query(q.public_id, by=w.reviewer), 1),
    "judge_registry": (
        lambda w: event_in(w, "submitted", severity=None),
        lambda w, _: intake.judge_registry(by=w.manager),
        1,
    ),
    "reopen_event": (
        lambda w: event_in(w, "accepted"),
        lambda w, e: intake.reopen_event(e.public_id, by=w.reviewer, reason=ERROR),
        1,
    ),
    "withdraw_event": (
        lambda w: event_in(w, "draft"),
        lambda w, e: intake.withdraw_event(e.public_id, by=w.lead, reason=ERROR),
        1,
    ),
    "record_patient": (None, lambda w, _: intake.record_patient(PATIENT, by=w.reporter), 1),
    "change_patient": (
        None,
        lambda w, _: intake.change_patient(w.patient.public_id, {"sex": "female"}, by=w.reporter),
        1,
    ),
    "record_implant": (None, lambda w, _: intake.record_implant(implant(), by=w.reporter), 1),
    "change_implant": (
        None,
        lambda w, _: intake.change_implant(
            w.pump.public_id, patch(months_followed="61"), by=w.reporter
        ),
        1,
    ),
    "declare_exposure": (None, lambda w, _: intake.declare_exposure(exposure(), by=w.lead), 1),
    "change_exposure": (
        lambda w: ExposureFactory(site=w.site),
        lambda w, e: intake.change_exposure(
            e.public_id, patch(RowKind.EXPOSURE, devices="11"), by=w.lead
        ),
        1,
    ),
    "record_system": (
        None,
        lambda w, _: intake.record_system(
            PATIENT, [component("pump"), component("catheter")], by=w.reporter
        ),
        3,
    ),
    "change_system": (
        None,
        lambda w, _: intake.change_system(
            w.patient.public_id,
            {"sex": "female"},
            [ComponentReport(raw(component="pump", refills="21"), w.pump.public_id, 1)],
            by=w.reporter,
        ),
        2,
    ),
    "replace_implant": (
        None,
        lambda w, _: intake.replace_implant(
            w.pump.public_id, ENDING, raw(**SUCCESSOR), by=w.reporter
        ),
        2,
    ),
    "follow_up": (
        None,
        lambda w, _: intake.follow_up(
            [FollowUp(one.public_id, "72") for one in (w.pump, w.catheter)], by=w.reporter
        ),
        2,
    ),
    "import_records": (None, lambda w, _: intake.import_records(three_files(w), by=w.lead), 7),
    "keep_apart": (
        a_pair,
        lambda w, pair: intake.keep_apart(pair.public_id, by=w.manager),
        1,
    ),
    "store_judged": (
        None,
        lambda w, _: intake.store_judged(intake.judge_records(three_files(w), by=w.lead)),
        7,  # the two events are alike
    ),
    "store_patients": (
        None,
        lambda w, _: intake.store_patients(
            intake.judge_patients(
                [(1, PATIENT), (2, PATIENT | {"source_id": "pt-z2"})], by=w.reporter
            )
        ),
        2,
    ),
    "redact_key": (
        None,
        lambda w, _: intake.redact_key("patient", w.patient.public_id, by=w.manager),
        2,  # the patient, and the redaction of the seal under which it was entered
    ),
    "redact_identifying_keys": (
        lambda w: EventFactory(implant=w.catheter, source_id="HM19610201"),
        lambda w, _: intake.redact_identifying_keys(by=w.manager),
        2,
    ),
    "redact_rows_of_key": (
        None,
        lambda w, _: intake.redact_rows_of_key(w.patient.source_id, by=w.manager),
        2,
    ),
    "make_site": (None, lambda w, _: intake.make_site(code="GENEVA", by=w.manager), 1),
    "keep_words": (
        None,
        lambda w, _: intake.keep_words(w.site, mapping=b'{"sex": {"W": "female"}}', by=w.lead),
        1,
    ),
    "change_site": (
        None,
        lambda w, _: intake.change_site(w.site, name="X", country="CH", active=True, by=w.manager),
        1,
    ),
    "say_implants_from": (
        None,
        lambda w, _: intake.say_implants_from("BERN", component="pump", year=2016, by=w.lead),
        1,
    ),
    "declare_key_pattern": (
        None,
        lambda w, _: intake.declare_key_pattern("BERN", key_prefix="KSG-", key_digits=4, by=w.lead),
        1,
    ),
    "add_member": (
        None,
        lambda w, _: intake.add_member(w.other, user=w.reporter, by=w.manager),
        2,  # the place, and the role that all members share
    ),
    "change_member": (
        None,
        lambda w, _: intake.change_member(member(w), role="reporter", active=False, by=w.manager),
        1,
    ),
    "add_complication": (
        None,
        lambda w, _: intake.add_complication("granuloma-silent", NEW, by=w.manager),
        1,
    ),
    "change_complication": (
        None,
        lambda w, _: intake.change_complication("csf-leak", {"name": "Leak"}, by=w.manager),
        1,
    ),
    "ask_for_agreement": (
        lambda w: UserFactory(roles=[Role.RESEARCHER]),
        lambda w, person: intake.ask_for_agreement(
            reference="2026-1",
            purpose="Catheter survival by model.",
            answerable="Dr Meier, Bern",
            expires_on=timezone.now().date() + timedelta(days=20),
            by=person,
        ),
        1,
    ),
    "withdraw_agreement": (
        lambda w: study(w, decision=""),
        lambda w, request: intake.withdraw_agreement(request.public_id, by=request.user),
        1,
    ),
    "grant_agreement": (
        lambda w: study(w, decision=""),
        lambda w, request: intake.grant_agreement(request.public_id, by=w.manager),
        2,  # the agreement, and the role of an analyst
    ),
    "confirm_agreement": (
        first_granted,
        lambda w, two: intake.confirm_agreement(two[0].public_id, by=two[1]),
        2,
    ),
    "decline_agreement": (
        lambda w: study(w, decision=""),
        lambda w, request: intake.decline_agreement(
            request.public_id, by=w.manager, reason="Say which ethics committee agreed."
        ),
        1,
    ),
    "end_agreement": (
        study,
        lambda w, held: intake.end_agreement(
            held.public_id, by=w.manager, reason="The study was closed."
        ),
        1,
    ),
    "remind_of_agreement": (
        study,
        lambda w, held: intake.remind_of_agreement(held, send=lambda _: None),
        1,
    ),
    "make_person": (
        None,
        lambda w, _: intake.make_person(
            username="nurse", password="a long unlikely phrase", roles=["researcher"], by=w.manager
        ),
        2,  # the person, and again with the roles
    ),
    "change_person": (
        nurse,
        lambda w, of: intake.change_person(of[0], **of[1] | {"email": "n@a.org"}, by=w.manager),
        1,
    ),
    "confirm_role": (
        proposed,
        lambda w, of: intake.confirm_role(of[0].public_id, by=of[1]),
        2,  # the proposal and the person
    ),
    "decline_role": (
        proposed,
        lambda w, of: intake.decline_role(of[0].public_id, by=of[1]),
        1,
    ),
    "withdraw_role": (
        proposed,
        lambda w, of: intake.withdraw_role(of[0].public_id, by=w.manager),
        1,
    ),
    "add_generator": (generator, lambda w, device: intake.add_generator(device), 1),
    "renew_codes": (None, lambda w, _: intake.renew_codes(w.reporter), 1),
    "remove_codes": (None, lambda w, _: intake.remove_codes(w.reporter, by=w.manager), 1),
    "close_round": (followed_up, lambda w, _: intake.close_round("BERN", by=w.lead), 3),
    "load_catalogue": (None, lambda w, _: intake.load_catalogue(by=w.manager), None),
}


def history_rows():
    """How many history rows there are, by kind of row."""
    return {model._meta.model_name: model.history.count() for model in models_with_history()}


def test_every_verb_of_intake_is_tried_here():
    functions = {name for name in intake.__all__ if inspect.isfunction(getattr(intake, name))}

    assert set(VERBS) == functions - READING


@pytest.mark.parametrize("verb", VERBS)
def test_verb_leaves_one_seal_over_a_history_row_for_each_row(world, verb):
    prepare, write, written = VERBS[verb]
    upon = prepare(world) if prepare else None
    seals, rows = Seal.objects.count(), sum(history_rows().values())

    write(world, upon)

    [seal] = Seal.objects.order_by("number")[seals:]
    assert sum(history_rows().values()) - rows == seal.rows
    assert seal.rows == written or written is None
    assert isinstance(seal.actor, User) != (verb in NOBODY_S)
    new = [
        row for model in models_with_history() for row in model.history.filter(seal_number=seal.pk)
    ]
    assert len(new) == seal.rows > 0
    assert {(row.history_user, row.history_date) for row in new} == {(seal.actor, seal.at)}
    assert verify_trail().breaks == ()


@pytest.mark.parametrize("verb", READING)
def test_reading_function_leaves_nothing(world, verb):
    event, request = event_in(world, "submitted"), study(world, decision="")
    before = (Seal.objects.count(), history_rows())

    if verb == "foreseen_queries":
        intake.foreseen_queries(event)
    elif verb == "open_steps":
        intake.open_steps(event, by=world.manager)
    elif verb == "open_decisions":
        intake.open_decisions(request, by=world.manager)
    elif verb == "needs_a_second":
        intake.needs_a_second({"reviewer"}, by=world.manager)
    elif verb == "open_to_role":
        intake.open_to_role(RoleProposal(user=world.lead), by=world.reporter)
    elif verb == "latest_last_day":
        intake.latest_last_day()
    elif verb == "identifying_keys":
        list(intake.identifying_keys())
    elif verb == "judging":
        list(intake.judging(three_files(world), by=world.lead))
    elif verb in ("export_rows", "site_to_export"):
        site = intake.site_to_export("BERN", by=world.lead)
        list(intake.export_rows(site, RowKind.IMPLANT, by=world.lead))
    elif verb == "may_keep_words":
        intake.may_keep_words(world.site, by=world.lead)
    elif verb == "wording_of":
        intake.wording_of(world.lead, mapping=b'{"sex": {"W": "female"}}')
    elif verb == "judge_records":
        intake.judge_records(three_files(world), by=world.lead)
    elif verb in ("judge_patients", "told_patients"):
        list(intake.told_patients(intake.judge_patients([(1, PATIENT)], by=world.reporter)))
    elif verb == "likely_duplicates":
        intake.likely_duplicates(report(), by=world.lead)
    elif verb == "may_close_queries":
        intake.may_close_queries(event, by=world.lead)
    elif verb == "may_close":
        intake.may_close(world.site, by=world.lead)
    elif verb == "readable_columns":
        intake.readable_columns(RawReport(RowKind.EVENT, {"site": "BERN", "severity": "many"}))
    elif verb == "standings_of":
        intake.standings_of([world.site])
    else:
        intake.missing_for_submission({"site"})

    assert (Seal.objects.count(), history_rows()) == before


@pytest.mark.parametrize(
    "verb", ["reject_event", "reopen_event", "withdraw_event", "mark_duplicate", "recode_event"]
)
def test_change_after_submission_says_why_in_its_history(world, verb):
    prepare, write, _written = VERBS[verb]
    upon = prepare(world)

    write(world, upon)

    seal = Seal.objects.latest("number")
    event = upon[-1] if isinstance(upon, tuple) else upon
    row = event.history.get(seal_number=seal.number)
    assert row.history_change_reason == seal.action
    assert row.reason != "" or verb == "recode_event"
