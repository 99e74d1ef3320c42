"""Queries of both sides: raised by a reviewer or a rule, answered by the site, closed."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q

from registry.intake.deaths import COUNTED
from registry.intake.quality import EVENT_RULES, IMPLANT_RULES, EventCase, ImplantCase
from registry.intake.relations import columns_not_kept
from registry.intake.writers import (
    may_write,
    require,
    require_data_manager,
    require_reviewer,
    require_version,
    row_in_sight,
)
from registry.models import Event, Exposure, Implant, Query, Sealing, User, sealed
from registry.models.queries import FIELDS, UNSETTLED
from registry.records import Fault, NotPermitted, RowRuleBroken, StateConflict
from registry.vocabulary import Component, QualityRule, QueryAnswer, QueryAsk, QueryState, State

AT_ONCE = 1_000
"""Rows of which the rules are judged at a time."""


def raise_query(
    event_id: UUID | str, *, by: User, column: str, ask: str, version: int | None = None
) -> Query:
    """Asks the site of an event that counts about one of its fields; for reviewers.

    Raises UnknownRow, NotPermitted (also at an own site), StateConflict, VersionConflict,
    RowRuleBroken for an unknown field or question, or one that is asked already.
    """
    with sealed(by=by, action="raise-query") as seal:
        event = row_in_sight(Event.objects.select_related("site"), event_id, by=by)
        require_reviewer(event, by=by)
        if event.state not in COUNTED:
            detail = "ask about an event that is submitted or accepted"
            raise StateConflict(Fault("state", StateConflict.code, detail))
        require_version(event, version)
        return asked(event, column, ask, seal)


def asked(event: Event, column: str, ask: str, seal: Sealing) -> Query:
    """Stores a reviewer's query under an open seal."""
    if column not in FIELDS or column in columns_not_kept():
        detail = "choose the field that is asked about"
        raise RowRuleBroken(Fault("column", "unknown-code", detail))
    what = _code(QueryAsk, ask, "ask", "query-ask")
    query = Query(site=event.site, event=event, column=column, ask=what)
    if Query.objects.unsettled().filter(event=event, rule="", column=column, ask=what).exists():
        raise RowRuleBroken(Fault("column", "asked-already", "this is asked already"))
    seal.save(query)
    return query


def answer_query(
    public_id: UUID | str, *, by: User, answer: str, version: int | None = None
) -> Query:
    """Answers an open query of one's own site, with a code.

    Raises UnknownRow, NotPermitted, StateConflict, VersionConflict, RowRuleBroken.
    """
    said = _code(QueryAnswer, answer, "answer", "query-answer")

    def check(query: Query) -> None:
        require(may_write(query.site, by=by), "answer queries of this site")

    return _settle(public_id, by, version, "answer-query", {QueryState.OPEN}, check, said)


def close_query(public_id: UUID | str, *, by: User, version: int | None = None) -> Query:
    """Closes a query; for reviewers of other sites.

    A query of a rule that still holds is not asked again after it was answered and closed.
    Raises UnknownRow, NotPermitted, StateConflict, VersionConflict.
    """

    def check(query: Query) -> None:
        _require_closer(query.event, query.site_id, by=by)

    states = {QueryState.OPEN, QueryState.ANSWERED}
    return _settle(public_id, by, version, "close-query", states, check, None)


def may_close_queries(row: Event | Implant, *, by: User) -> bool:
    """Whether the caller may close the queries about a row."""
    try:
        _require_closer(row if isinstance(row, Event) else None, row.site_id, by=by)
    except NotPermitted:
        return False
    return True


def _require_closer(event: Event | None, site_id: int, *, by: User) -> None:
    """Raises NotPermitted unless the caller may close queries: of an event, or of an implant."""
    if event is not None:
        require_reviewer(event, by=by)
        return
    require_data_manager(by, "close queries about implants")
    if by.sites().filter(pk=site_id).exists():
        detail = "members of a site cannot close its queries"
        raise NotPermitted(Fault("", NotPermitted.code, detail))


def judge_quality(event: Event, seal: Sealing) -> None:
    """Raises and closes the queries of rules about an event, and about what stands beside it.

    Those are its patient's events and implants, and the events that it caused. Under an open seal.
    Eleven queries, and one a write.
    """
    if event.state not in COUNTED:
        _close_of_uncounted([event.pk], seal)
    beside = Q(pk=event.pk) | Q(caused_by=event.pk)
    if event.patient_id is not None:
        beside |= Q(patient=event.patient_id)
    _judge_events(Event.objects.filter(beside, state__in=COUNTED), seal)
    if event.patient_id is not None:
        _judge_implants(Implant.objects.filter(patient=event.patient_id), seal)


def judge_patients(patients: Collection[int], seal: Sealing) -> None:
    """Raises and closes the queries of rules about the events and implants of patients.

    Under an open seal that changed their implants. Eleven queries, and one a write.
    """
    _judge_events(Event.objects.filter(patient__in=patients, state__in=COUNTED), seal)
    _judge_implants(Implant.objects.filter(patient__in=patients), seal)


def judge_registry(*, by: User | None) -> tuple[int, int]:
    """Judges every counted event and every implant; for data managers and commands.

    Returns how many queries were raised and closed. One seal a thousand rows, where anything
    changes. Raises NotPermitted.
    """
    require_data_manager(by, "judge the whole registry")
    raised = closed = 0
    steps: tuple[tuple[Any, Callable[[Any, Sealing], tuple[int, int]]], ...] = (
        (Event.objects.filter(state__in=COUNTED), _judge_events),
        (Implant.objects.exclude(exit_status=""), _judge_implants),
        (
            Event.objects.exclude(state__in=COUNTED).filter(queries__state__in=UNSETTLED),
            _close_of_uncounted,
        ),
    )
    for rows, judge in steps:
        pks = list(rows.order_by("pk").values_list("pk", flat=True).distinct())
        for start in range(0, len(pks), AT_ONCE):
            with sealed(by=by, action="judge-quality") as seal:
                some = rows.model.objects.filter(pk__in=pks[start : start + AT_ONCE])
                new, gone = judge(some, seal)
            raised, closed = raised + new, closed + gone
    return raised, closed


def _judge_events(events: Any, seal: Sealing) -> tuple[int, int]:
    related = ("site", "complication", "implant", "caused_by")
    found = [event for event in events.select_related(*related) if event.state in COUNTED]
    held: dict[tuple[int, str], tuple[Any, Any]] = {}
    for case in _cases(found):
        event = case.event
        for rule in EVENT_RULES:
            if rule.raises(case):
                held[event.pk, rule.code] = (rule, {"event": event, "site": event.site})
    pks = {event.pk for event in found}
    return _reconcile(held, Query.objects.filter(event__in=pks), "event_id", seal)


def _cases(events: Sequence[Event]) -> Iterator[EventCase]:
    """Each event with what stands beside it. Four queries."""
    pks = {event.pk for event in events}
    patients = {event.patient_id for event in events if event.patient_id}
    others: defaultdict[int | None, list[Event]] = defaultdict(list)
    led_to: defaultdict[int | None, list[Event]] = defaultdict(list)
    implants: defaultdict[int | None, list[Implant]] = defaultdict(list)
    for other in Event.objects.filter(patient__in=patients, state__in=COUNTED).order_by("pk"):
        others[other.patient_id].append(other)
    for each in Event.objects.filter(caused_by__in=pks).exclude(state=State.WITHDRAWN):
        led_to[each.caused_by_id].append(each)
    for implant in Implant.objects.filter(patient__in=patients):
        implants[implant.patient_id].append(implant)
    declared = _declared_years({event.site_id for event in events})
    for event in events:
        yield EventCase(
            event=event,
            implant=event.implant,
            cause=event.caused_by,
            consequences=led_to[event.pk],
            others=[one for one in others[event.patient_id] if one.pk != event.pk],
            implants=implants[event.patient_id],
            declared=frozenset(declared[event.site_id, event.complication.clock]),
            implants_from=event.site.implants_from(Component.of(event.complication.clock)),
        )


def _declared_years(sites: Collection[int]) -> defaultdict[tuple[int, str], set[int]]:
    """The years of declared device time, by site and component. One query."""
    years: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    rows = Exposure.objects.filter(site__in=sites)
    for site, component, year in rows.values_list("site", "component", "year").distinct():
        years[site, component].add(year)
    return years


def judge_declared(exposure: Exposure, seal: Sealing) -> None:
    """Judges the events that a declaration of device time is the denominator of, at once.

    Under an open seal. Those of other years are judged with the whole registry.
    """
    of_its_year = Event.objects.filter(
        site=exposure.site_id,
        implant=None,
        complication__clock=exposure.component,
        year=exposure.year,
        state__in=COUNTED,
    )
    _judge_events(of_its_year, seal)


def foreseen_queries(event: Event) -> tuple[QualityRule, ...]:
    """The rules that will ask about an event, as it stands. Four queries; writes nothing."""
    [case] = _cases([event])
    return tuple(rule.code for rule in EVENT_RULES if rule.raises(case))


def _judge_implants(implants: Any, seal: Sealing) -> tuple[int, int]:
    found = list(implants.select_related("site"))
    patients = {implant.patient_id for implant in found}
    events = defaultdict(list)
    for event in Event.objects.filter(patient__in=patients, state__in=COUNTED):
        events[event.patient_id].append(event)
    held: dict[tuple[int, str], tuple[Any, Any]] = {}
    for implant in found:
        case = ImplantCase(implant, events[implant.patient_id])
        for rule in IMPLANT_RULES:
            if rule.raises(case):
                held[implant.pk, rule.code] = (rule, {"implant": implant, "site": implant.site})
    pks = {implant.pk for implant in found}
    return _reconcile(held, Query.objects.filter(implant__in=pks), "implant_id", seal)


def _close_of_uncounted(events: Any, seal: Sealing) -> tuple[int, int]:
    stale = Query.objects.unsettled().filter(event__in=events).exclude(rule="")
    return 0, _close(stale, seal)


def _reconcile(
    held: dict[tuple[int, str], tuple[Any, Any]], queries: Any, row: str, seal: Sealing
) -> tuple[int, int]:
    """Raises what rules hold and nobody was asked yet; closes what they no longer hold.

    A query that a reviewer closed is not asked again, unless its answer was that it is corrected.
    """
    settled = queries.exclude(rule="").exclude(
        state=QueryState.CLOSED, answer=QueryAnswer.CORRECTED
    )
    asked_before = {(getattr(query, row), query.rule) for query in settled}
    new = [
        Query(rule=rule.code, column=rule.column, ask=rule.ask, **of)
        for key, (rule, of) in held.items()
        if key not in asked_before
    ]
    for query in new:
        seal.save(query)
    mended = [
        query
        for query in queries.filter(state__in=UNSETTLED).exclude(rule="")
        if (getattr(query, row), query.rule) not in held
    ]
    return len(new), _close(mended, seal)


def _close(queries: Iterable[Query], seal: Sealing) -> int:
    closed = 0
    for query in queries:
        query.state, query.answer = QueryState.CLOSED, QueryAnswer.CORRECTED
        query.version += 1
        seal.save(query, reason="close-query")
        closed += 1
    return closed


def settle_for(event: Event, seal: Sealing, *, states: Sequence[str], ends: str) -> None:
    """Moves the queries that reviewers raised of an event, under an open seal.

    Submitting answers what was open; accepting, rejecting and withdrawing close all.
    """
    queries = Query.objects.filter(event=event, rule="", state__in=states)
    for query in queries:
        query.state = ends
        if ends == QueryState.ANSWERED:
            query.answer = QueryAnswer.CORRECTED
        query.version += 1
        seal.save(query)


def _settle(
    public_id: UUID | str,
    by: User,
    version: int | None,
    action: str,
    starts: Collection[str],
    check: Callable[[Query], None],
    answer: QueryAnswer | None,
) -> Query:
    with sealed(by=by, action=action) as seal:
        rows = Query.objects.select_related("site", "event__site", "implant")
        query = row_in_sight(rows, public_id, by=by)
        check(query)
        if query.state not in starts:
            detail = f"this query is {query.state}; it must be {' or '.join(sorted(starts))}"
            raise StateConflict(Fault("state", StateConflict.code, detail))
        require_version(query, version)
        query.state = QueryState.CLOSED if answer is None else QueryState.ANSWERED
        query.answer = answer or query.answer
        query.version += 1
        seal.save(query, reason=action)
    return query


def _code(codes: Any, text: str, column: str, named: str) -> Any:
    if not text:
        raise RowRuleBroken(Fault(column, "required", f"choose one of the list {named}"))
    try:
        return codes.of(text)
    except ValueError:
        detail = f"use a code of the list {named}"
        raise RowRuleBroken(Fault(column, "unknown-code", detail)) from None
