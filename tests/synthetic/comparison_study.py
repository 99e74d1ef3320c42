"""Comparisons under planted confounding: `python -m tests.synthetic.comparison_study [REGISTRIES]`.

Prints the table of docs/simulation.md.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import django

CATHETERS, REGISTRIES = 1500, 200
LINES = (
    ("window", "events"),
    ("site", "events"),
    ("site,window", "events"),
    ("site,window", "first_event"),
)

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from registry.vocabulary import CountingRule
    from tests.synthetic.confounded import compared, recovered

    registries = int(sys.argv[1]) if len(sys.argv) > 1 else REGISTRIES
    print(
        "| adjusted for | counted | events | adjusted / truth | limits | crude / truth | limits |"
    )
    print("|---|---|---|---|---|---|---|")
    for adjust, counting in LINES:
        found = []
        for seed in range(1, registries + 1):
            with TemporaryDirectory() as folder:
                found.append(
                    compared(
                        Path(folder),
                        catheters=CATHETERS,
                        seed=seed,
                        adjust=tuple(adjust.split(",")),
                        counting=next(each for each in CountingRule if each.value == counting),
                    )
                )
        told = recovered(found)
        print(
            f"| {adjust} | {counting} | {told.events:.0f} | {told.adjusted:.3f} | "
            f"{told.held:.1%} | {told.crude:.3f} | {told.crude_held:.1%} |",
            flush=True,
        )
