"""The text of a question: the same for the same question, today and in older receipts."""

from registry.records import EventQuery, Window
from registry.vocabulary import CountingRule


def test_text_of_a_question_is_what_it_was_before_scales_of_limits_could_be_asked() -> None:
    query = EventQuery(
        where=(("drug", ("baclofen",)),), windows=(Window(0, 3),), counting=CountingRule.EVENTS
    )

    assert query.canonical() == (
        '{"counting":"events","group_by":[],"labels":"code","level":0.95,"ordering":[],"per":null,'
        '"release":null,"unit":null,"where":[["drug",["baclofen"]]],'
        '"windows":[{"end":3,"start":0}],"years":null}'
    )


def test_scale_of_limits_that_was_asked_for_is_in_the_text() -> None:
    texts = {EventQuery(ci=ci).canonical() for ci in (None, "log", "plain")}

    assert len(texts) == 3
    assert '"ci":"plain"' in EventQuery(ci="plain").canonical()
