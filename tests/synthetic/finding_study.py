"""The study: `python -m tests.synthetic.finding_study [REGISTRIES]` prints its table."""

import os
import sys

import django

REGISTRIES = 40

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.synthetic.finding import Study

    study = Study()
    for number in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else REGISTRIES)):
        study.add(number)
    print(study.table())
