"""Rates per procedure against the truth: `python -m tests.synthetic.procedures_study [REGISTRIES]`.

Prints the table of docs/methods.md.
"""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.synthetic.procedures import study

    registries = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("| rows | events | rate / truth | limits hold |")
    print("|---|---|---|---|")
    for name, row in study(range(1, registries + 1)).items():
        mean = sum(row.events) / len(row.events)
        print(f"| {name} | {mean:.0f} | {row.ratio:.3f} | {100 * row.coverage:.1f} % |")
