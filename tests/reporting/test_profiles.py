import pytest

from registry.records import EventQuery, NotPermitted, Viewer
from registry.reporting.asking.profiles import profile_of
from registry.vocabulary import Profile

RESEARCHER = Viewer(user_id=1, label="researcher")
REVIEWER = Viewer(user_id=2, exact_everywhere=True, label="reviewer")
REPORTER = Viewer(user_id=3, exact_sites=frozenset({"A", "B"}), label="site staff")


def at(*sites: str) -> EventQuery:
    return EventQuery(where=(("site", sites),) if sites else (), group_by=("drug",))


def test_reviewers_and_managers_have_exact_answers() -> None:
    assert profile_of(at(), REVIEWER) is Profile.EXACT
    assert profile_of(at("C"), REVIEWER) is Profile.EXACT


@pytest.mark.parametrize("sites", [("A",), ("A", "B")])
def test_members_have_exact_answers_about_their_own_sites(sites: tuple[str, ...]) -> None:
    assert profile_of(at(*sites), REPORTER) is Profile.EXACT


@pytest.mark.parametrize("sites", [(), ("A", "C"), ("C",), ("A", "not-recorded")])
def test_members_are_protected_beyond_their_own_sites(sites: tuple[str, ...]) -> None:
    assert profile_of(at(*sites), REPORTER) is Profile.PROTECTED


@pytest.mark.parametrize("sites", [(), ("A",)])
def test_everybody_else_is_protected(sites: tuple[str, ...]) -> None:
    assert profile_of(at(*sites), RESEARCHER) is Profile.PROTECTED
    assert profile_of(at(*sites), Viewer()) is Profile.PROTECTED


@pytest.mark.parametrize("exact", [False, True])
def test_who_may_not_ask_is_refused_whatever_the_question(exact: bool) -> None:
    with pytest.raises(NotPermitted) as refusal:
        profile_of(at(), Viewer(may_ask=False, exact_everywhere=exact))

    assert refusal.value.faults[0].code == "no-statistics"
