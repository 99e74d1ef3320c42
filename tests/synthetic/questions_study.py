"""`python -m tests.synthetic.questions_study [EVENTS ...]` prints what is told of each."""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.disclosure.attack.own_process import begin, environment

EVENTS = (5_000, 100_000)


def main() -> None:
    """Make a registry of each size, in a database of its own, and ask."""
    sizes = [int(each) for each in sys.argv[1:]] or list(EVENTS)
    with tempfile.TemporaryDirectory() as var:
        (Path(var) / "static").mkdir()
        os.environ.update(environment(var))
        begin()
        from django.core.management import call_command

        from registry.synthetic import registry
        from tests.synthetic.frozen import frozen_synthetic
        from tests.synthetic.questions import QUESTIONS, asked, is_told_exactly

        call_command("migrate", verbosity=0)
        call_command("make_keys", verbosity=0)
        call_command("load_catalogue", verbosity=0)
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
