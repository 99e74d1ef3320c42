"""`python -m tests.synthetic.questions_study [EVENTS ...]` prints what is told of each."""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.synthetic.own_database import in_own_database

EVENTS = (5_000, 100_000)


def main() -> None:
    """Make a registry of each size, in a database of its own, and ask."""
    sizes = [int(each) for each in sys.argv[1:]] or list(EVENTS)
    with in_own_database():
        from registry.synthetic import registry
        from tests.synthetic.frozen import frozen_synthetic
        from tests.synthetic.questions import QUESTIONS, asked, is_told_exactly

        found = []
        for size in sizes:
            with tempfile.TemporaryDirectory() as folder:
                made = registry(events=size, sites=24, seed=1)
                frozen = frozen_synthetic(Path(folder), made)
                answers = [asked(question, frozen) for question in QUESTIONS]
                found.append(answers)
                exactly = sum(is_told_exactly(question, frozen) for question in QUESTIONS)
                print(size, dict(Counter(str(each.told) for each in answers)), "exact:", exactly)
        for place, question in enumerate(QUESTIONS):
            said = " | ".join(each[place].words for each in found)
            print(f"| {question.about} | {said} |")


if __name__ == "__main__":
    main()
