"""`python -m tests.synthetic.protected_finding_study [REGISTRIES] [EVENTS]` prints its table."""

import os
import sys

import django

REGISTRIES, EVENTS = 40, 5_000

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.synthetic.protected_finding import ProtectedStudy

    registries = int(sys.argv[1]) if len(sys.argv) > 1 else REGISTRIES
    events = int(sys.argv[2]) if len(sys.argv) > 2 else EVENTS
    study = ProtectedStudy()
    for number in range(1, 1 + registries):
        study.add(number, events=events)
    print(study.table())
