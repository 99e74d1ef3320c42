"""`python -m tests.synthetic.protected_finding_study [REGISTRIES] [EVENTS]` prints its table.

--first SEED: the seed of the first registry. --funnels: funnels alone.
"""

import argparse
import os

import django

REGISTRIES, EVENTS = 40, 5_000

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.synthetic.protected_finding import ProtectedStudy

    parser = argparse.ArgumentParser()
    parser.add_argument("registries", type=int, nargs="?", default=REGISTRIES)
    parser.add_argument("events", type=int, nargs="?", default=EVENTS)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--funnels", action="store_true")
    asked = parser.parse_args()
    study = ProtectedStudy()
    for number in range(asked.registries):
        study.add(asked.first + number, events=asked.events, only_funnels=asked.funnels)
    print(study.table())
