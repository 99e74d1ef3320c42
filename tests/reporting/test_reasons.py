"""Every reason that the statistics give is a sentence for whoever asked."""

import pytest

from registry.reporting.words.reasons import IN_WORDS, in_words
from registry.statistics.results import Reason


@pytest.mark.parametrize("reason", Reason)
def test_reason_is_a_sentence(reason: Reason) -> None:
    words = in_words(reason)

    assert words == IN_WORDS[reason]
    assert words[0].isupper()
    assert words.endswith(".")


def test_nothing_undefined_has_no_reason() -> None:
    assert in_words(None) is None
