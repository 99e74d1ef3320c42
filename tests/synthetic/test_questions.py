"""What published papers ask is told as often as docs/disclosure.md says, and refused no more."""

from pathlib import Path

import pytest

from registry import intake
from registry.synthetic import registry
from tests.synthetic.frozen import frozen_synthetic
from tests.synthetic.questions import QUESTIONS, Told, is_told_exactly, tally, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def frozen(tmp_path: Path):
    intake.load_catalogue()
    return frozen_synthetic(tmp_path, registry(events=5_000, sites=24, seed=1))


def test_questions_of_papers_are_told_as_often_as_the_documents_say(frozen):
    found = tally(frozen)

    assert sum(found.values()) == len(QUESTIONS) == 23
    assert found[Told.REFUSED] <= 6
    assert found[Told.ANSWERED] >= 3  # the noise of one release decides over two or three

    by_about = {question.about: question for question in QUESTIONS}
    finer = by_about["catheter problems by model, baclofen"]
    assert told(finer, frozen) is Told.REFUSED
    assert told(by_about["a catheter problem, baclofen"], frozen) is Told.ANSWERED

    exactly = [question.about for question in QUESTIONS if is_told_exactly(question, frozen)]
    assert len(exactly) >= 0.9 * len(QUESTIONS)
