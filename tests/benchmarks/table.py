"""The figures of a run as one table, with the means and ratios that the targets are set in."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.benchmarks.eight_questions import QUESTIONS
from tests.benchmarks.forms import ARRAYS, EXACT, ORM, PROTECTED, TWIN
from tests.benchmarks.over_http import CLIENTS, WORKERS, OverHttp
from tests.benchmarks.timing import LEAST_MS, Timed, geometric_mean, percentile

Taken = Mapping[str, Mapping[int, Timed]]

HEAD = (
    *("question", "rows", "registry", "p95", "ORM", "p95", "numpy", "p95", "ORM / registry"),
    *("registry / numpy", "same, published: exact", "protected", "protected / exact"),
)
NAMES = {
    EXACT: "registry, exact",
    PROTECTED: "registry, protected",
    ORM: "ORM, without the database server",
    ARRAYS: "numpy",
}


def written(
    about: Mapping[str, Any],
    sizes: Mapping[int, int],
    taken: Taken,
    memory: Mapping[str, float],
    http: OverHttp | None,
) -> str:
    """The table in Markdown, and a line for each target; milliseconds, medians."""
    return "\n".join(
        [
            *_about(about),
            *_rows(sizes, taken),
            "",
            *_means(taken),
            *_memory(memory),
            *_http(http, taken),
        ]
    )


def _about(about: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{about['events']:,} events, {about['implants']:,} implants, {about['database']}; "
        f"{about['processors']} processors ({about['processor']}), load {about['load']:.1f}, "
        f"Python {about['python']}, DuckDB {about['duckdb']}, {about['at']}; milliseconds."
    )
    yield ""


def _rows(sizes: Mapping[int, int], taken: Taken) -> Iterator[str]:
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{'---|' * len(HEAD)}"
    for question in QUESTIONS:
        at = question.number
        exact, orm, arrays = (taken[form][at] for form in (EXACT, ORM, ARRAYS))
        cells = [f"{at} {question.title}", f"{sizes[at]:,}"]
        cells += [_ms(ms) for each in (exact, orm, arrays) for ms in (each.median, each.p95)]
        cells += [f"{orm.over(exact):.1f}", f"{exact.over(arrays):.1f}"]
        twin, protected = taken[TWIN].get(at), taken[PROTECTED].get(at)
        if twin and protected:
            ratio = f"{protected.over(twin):.2f}"
            cells += [_ms(twin.median), _ms(protected.median), ratio]
        else:
            cells += ["none"] * 3
        yield f"| {' | '.join(cells)} |"


def _means(taken: Taken) -> Iterator[str]:
    numbers = [question.number for question in QUESTIONS]
    slower = [taken[ORM][at].over(taken[EXACT][at]) for at in numbers]
    above = {at: taken[EXACT][at].over(taken[ARRAYS][at]) for at in numbers}
    worst = max(above, key=lambda at: above[at])
    dearer = {at: each.over(taken[TWIN][at]) for at, each in taken[PROTECTED].items()}
    dearest = max(dearer, key=lambda at: dearer[at])
    yield f"- ORM / registry: {geometric_mean(slower):.1f} (geometric mean; at least 15 wanted)"
    yield f"- registry / numpy: {geometric_mean(above.values()):.1f} (geometric mean; at most 4)"
    yield f"- farthest from numpy: question {worst}, {above[worst]:.1f} times (at most 10)"
    yield (
        f"- protected / exact: {geometric_mean(dearer.values()):.2f} (geometric mean), at most "
        f"{dearer[dearest]:.2f} (question {dearest}; at most 2)"
    )
    yield f"- less than {LEAST_MS:g} ms counts as {LEAST_MS:g} ms in a ratio"


def _memory(memory: Mapping[str, float]) -> Iterator[str]:
    told = ", ".join(f"{name} {memory[form]:,.0f} MB" for form, name in NAMES.items())
    yield f"- peak memory: {told}"


def _http(http: OverHttp | None, taken: Taken) -> Iterator[str]:
    if http is None:
        return
    inside = percentile((ms for each in taken[EXACT].values() for ms in each.runs), 0.95)
    yield (
        f"- over HTTP ({WORKERS} workers, {CLIENTS} clients), nothing kept: p95 "
        f"{_ms(http.uncached.p95)} ms, {http.uncached.p95 / inside:.1f} times the p95 in-process, "
        f"{_ms(inside)} ms (at most 3)"
    )
    empty = http.nothing
    named = {
        "kept exact answer": http.cached,
        "304 to it": http.unchanged,
        "kept protected answer": http.published,
        "304 to it ": http.published_unchanged,
    }
    told = ", ".join(
        f"{name.strip()} {_ms(each.median)} ({each.median / empty.median:.2f})"
        for name, each in named.items()
    )
    yield (
        f"- replies that are kept, against {_ms(empty.median)} ms of an empty authenticated view: "
        f"{told} (at most 1.5)"
    )


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.1f}"
