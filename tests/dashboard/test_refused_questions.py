"""Where protection refuses what papers ask, pages lead to the nearest and to an agreement."""

from html import unescape

import pytest
from django.core.management import call_command

from registry.vocabulary import Role
from tests.reporting.registry_rows import import_cohort
from tests.synthetic.questions import QUESTIONS


@pytest.fixture
def published(db):
    import_cohort()
    call_command("freeze", release="2026Q4", verbosity=0)


def test_every_refused_question_of_papers_has_a_way_on_that_works(published, as_role):
    client, refused, dead = as_role(Role.RESEARCHER), [], []
    for question in QUESTIONS:
        _measure, _, params = question.address.partition("?")
        address = f"/dashboard/explore/?measure={question.measure.value}&{params}"
        page = client.get(address)
        assert page.status_code in {200, 422}, question.about
        if page.status_code == 200:
            continue
        refused.append(question.about)
        [side] = page.context["sides"]
        assert 'href="/agreement/"' in page.text, question.about
        nearest = side.reply.instead[0]
        if client.get(f"/dashboard/explore/?{unescape(nearest.params)}").status_code != 200:
            dead.append(question.about)

    assert dead == []
    assert refused == [
        "catheter problems by model, baclofen",
        "catheter problems by indication, baclofen",
        "children with baclofen, by category",
        "pocket infection by year and model, baclofen",
    ]
