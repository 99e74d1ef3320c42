"""Measures eight questions through the registry, through the ORM and by numpy, in one run.

Run as `make bench BENCH="--events 1000000"`. The three forms of each answer are compared first, and
a difference ends the run. One table on standard output; all figures as JSON in var/.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from registry.vocabulary import Measure
from tests.benchmarks import forms, made_registry, over_http
from tests.benchmarks.agreement import SHOWN, differences
from tests.benchmarks.eight_questions import QUESTIONS, Question, limits_of
from tests.benchmarks.made_registry import ROOT, say
from tests.benchmarks.over_http import OverHttp
from tests.benchmarks.table import written
from tests.benchmarks.timing import Timed, peak_megabytes

FIGURES = ROOT / "var" / "bench-statistics.json"


class Worker:
    """One form of the answers, in a process whose memory is its own."""

    def __init__(self, form: str) -> None:
        self.form = form
        self._pool = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=forms.begin
        )

    def do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do it there and wait for it."""
        return self._pool.submit(work, *arguments).result()

    def end(self) -> None:
        """End the process."""
        self._pool.shutdown()


def compared(workers: Mapping[str, Worker]) -> dict[int, int]:
    """How many rows each answer has; ends the run where the forms of one differ."""
    sizes = {}
    for question in QUESTIONS:
        answers = {
            form: workers[form].do(forms.rows_of, form, question.number)
            for form in (forms.EXACT, forms.ORM, forms.ARRAYS)
        }
        sizes[question.number] = len(answers[forms.EXACT])
        for form in (forms.ORM, forms.ARRAYS):
            found = list(differences(answers[forms.EXACT], answers[form], but=_limits(question)))
            if found:
                shown = "\n".join(found[:SHOWN])
                raise SystemExit(f"{question.title}: {form} differs in {len(found)}:\n{shown}")
        say(f"{question.number} {question.title}: the forms agree on {len(answers[form])} rows")
    return sizes


def _limits(question: Question) -> Collection[int]:
    """Where limits are robust to sites, which the other forms are not."""
    return limits_of(question) if question.measure is Measure.RATES else ()


def measured(workers: Mapping[str, Worker], runs: int) -> dict[str, dict[int, Timed]]:
    """How long each form of each question takes: one question after the other, form by form."""
    taken: dict[str, dict[int, Timed]] = {form: {} for form in workers}
    for question in QUESTIONS:
        for form, worker in workers.items():
            if question.published is None and form in (forms.TWIN, forms.PROTECTED):
                continue
            found = worker.do(forms.times_of, form, question.number, runs)
            taken[form][question.number] = found
            say(f"{question.number} {form}: {found.median:.1f} ms, p95 {found.p95:.1f}")
    return taken


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "processors": os.cpu_count(),
        "processor": _processor(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main(words: Sequence[str] | None = None) -> None:
    """Make a registry, or take one; compare, measure, and print."""
    parser = argparse.ArgumentParser(prog="make bench BENCH=...", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="how many events to make")
    parser.add_argument("--runs", type=int, default=15, help="runs of each form of a question")
    parser.add_argument(
        "--existing",
        action="store_true",
        help="take DATABASE_URL and the newest release in REGISTRY_VAR as they are; two users and "
        "rows of the access log are added",
    )
    parser.add_argument("--without-http", action="store_true", help="leave the server out")
    options = parser.parse_args(words)
    with made_registry.registry(options.events, existing=options.existing):
        named = (forms.EXACT, forms.TWIN, forms.PROTECTED, forms.ORM, forms.ARRAYS)
        workers = {form: Worker(form) for form in named}
        workers[forms.EXACT].do(forms.make_people)
        if not options.existing:
            made_registry.manage("freeze", "--release", made_registry.LABEL, "--early")
        label = workers[forms.EXACT].do(forms.release)
        sizes = compared(workers)
        taken = measured(workers, options.runs)
        memory = {form: worker.do(peak_megabytes) for form, worker in workers.items()}
        about = machine() | workers[forms.EXACT].do(forms.described)
        http: OverHttp | None = None
        if not options.without_http:
            tokens = {
                form: workers[forms.EXACT].do(forms.make_token, name)
                for form, name in (("exact", forms.MANAGER), ("protected", forms.RESEARCHER))
            }
        for worker in workers.values():
            worker.end()
        if not options.without_http:
            http = over_http.measured(label, tokens, rounds=max(options.runs // 5, 1))
    print(written(about, sizes, taken, memory, http))
    FIGURES.parent.mkdir(exist_ok=True)
    figures = {
        "about": about,
        "rows": sizes,
        "milliseconds": {
            form: {number: list(each.runs) for number, each in found.items()}
            for form, found in taken.items()
        },
        "peak_megabytes": memory,
        "http": asdict(http) if http else None,
    }
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    say(f"All figures: {FIGURES.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
