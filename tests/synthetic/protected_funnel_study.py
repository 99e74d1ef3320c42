"""`python -m tests.synthetic.protected_funnel_study [REGISTRIES] [SEED]` prints its table."""

import os
import sys

import django

REGISTRIES, SEED = 400, 9_000

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.synthetic.protected_funnels import table

    registries = int(sys.argv[1]) if len(sys.argv) > 1 else REGISTRIES
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    print(table(registries=registries, seed=seed))
