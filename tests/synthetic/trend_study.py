"""Are trends of a registry in which nothing changes told to be none?

`python -m tests.synthetic.trend_study [REGISTRIES]` prints its table: registries of 50,000 events
that grow for twenty years, whose hazards are the same in every year while devices grow older and
models of catheters and pumps come and go.
"""

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import django

QUESTIONS = {
    "inflammatory mass": ("complication", "granuloma"),
    "expected end of service": ("complication", "pump-end-of-service"),
    "motor stall": ("complication", "pump-motor-stall"),
    "pump problems": ("category", "pump"),
    "catheter problems": ("category", "catheter"),
    "neurological": ("category", "neurological"),
}
REGISTRIES = 8
NEAR = 0.01
"""A ratio is right that is within this of 1, or whose limits hold 1."""


def table(seeds: Iterable[int], *, events: int = 50_000, sites: int = 24) -> str:
    """The table as it stands in the docs."""
    from registry.synthetic import registry
    from registry.vocabulary import Measure
    from tests.synthetic.finding import ask
    from tests.synthetic.frozen import frozen_synthetic

    found: dict[str, list[dict]] = {named: [] for named in QUESTIONS}
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            frozen = frozen_synthetic(Path(folder), registry(events=events, sites=sites, seed=seed))
            for named, (dimension, code) in QUESTIONS.items():
                release = ask(frozen, Measure.TREND, where=((dimension, (code,)),))
                found[named].append(release.meta["trend"])
    written = [
        "| trend of | registries | mean ratio | crude | limits hold 1 | or within 1 % of it |",
        "|---|---|---|---|---|---|",
    ]
    for named, told in found.items():
        ratios = [each["rate_ratio"] for each in told]
        held = [each["ci_lower"] <= 1 <= each["ci_upper"] for each in told]
        near = [abs(ratio - 1) <= NEAR for ratio in ratios]
        right = sum(map(max, zip(held, near, strict=True)))
        crude = sum(each["crude"]["rate_ratio"] for each in told) / len(told)
        written.append(
            f"| {named} | {len(told)} | {sum(ratios) / len(ratios):.3f} | {crude:.3f} "
            f"| {sum(held)} | {right} |"
        )
    return "\n".join(written)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    print(table(range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else REGISTRIES))))
