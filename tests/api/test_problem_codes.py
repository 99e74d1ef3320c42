"""docs/problems.md lists every code that the registry refuses with, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from registry.api.problems import SAID_OF, TITLE_OF, WORDED
from registry.reporting.asking.opening import SAID as SAID_OF_SNAPSHOTS
from registry.snapshot.spark import SAID as SAID_OF_CLUSTERS

ROOT = Path(__file__).parents[2]
PAGES = {"admin", "answers", "dashboard", "management", "migrations"}
"""Rooms whose own refusals are words on a page, never a code in a reply."""

PLACES = {"Fault": 1, "Unreadable": 0, "_Refused": 0, "DatabaseOutage": 0}
"""Where the code stands among the arguments of what is raised."""

BY_NAME = {"ValidationError", "problem", "refusals", "OptionFilter", "Fault"}
"""What is raised with its code by name."""

CODE = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")


def modules() -> Iterator[ast.Module]:
    """The source of the rooms that an answer of the API or of a file comes from."""
    for path in sorted((ROOT / "registry").rglob("*.py")):
        if not PAGES & set(path.relative_to(ROOT).parts):
            yield ast.parse(path.read_text())


def texts_in(node: ast.AST, named: dict[str, str]) -> Iterator[str]:
    """The texts that an expression for a code may be; names are looked up among constants."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts_in(node.body, named)
        yield from texts_in(node.orelse, named)
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from texts_in(each, named)
    elif isinstance(node, ast.Name) and node.id in named:
        yield named[node.id]


def codes_of(tree: ast.Module, named: dict[str, str]) -> Iterator[str]:
    """The codes in one module."""
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = PLACES.get(called)
            for position, argument in enumerate(node.args):
                if place is not None and position == place:
                    yield from texts_in(argument, named)
                if place is not None and isinstance(argument, ast.Starred):
                    table = tables[argument.value.value.id]  # type: ignore[attr-defined]
                    for row in table.values:  # type: ignore[attr-defined]
                        yield from texts_in(row.elts[0], named)
            for keyword in node.keywords if called in BY_NAME else ():
                if keyword.arg == "code":
                    yield from texts_in(keyword.value, named)
        elif isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                target, value = target.elts[0], value.elts[0]
            if isinstance(target, ast.Name) and target.id == "code":
                # Codes of other vocabularies, FHIR's among them, are not written in this way.
                yield from filter(CODE.fullmatch, texts_in(value, named))


def raised() -> set[str]:
    """Every code in the source, and those that stand for what the framework refuses."""
    trees = list(modules())
    named = {
        node.targets[0].id: node.value.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }
    found = {code for tree in trees for code in codes_of(tree, named)}
    found |= {code for code, _title in TITLE_OF.values()}
    return found | {*SAID_OF, *WORDED, *SAID_OF_SNAPSHOTS, *SAID_OF_CLUSTERS}


def listed() -> list[str]:
    """The codes of the page, in its order."""
    page = (ROOT / "docs" / "problems.md").read_text()
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


def test_source_raises_codes_and_nothing_else():
    assert len(raised()) > 100
    assert [code for code in raised() if not CODE.fullmatch(code)] == []


def test_every_code_that_is_raised_is_on_the_page():
    assert sorted(raised() - set(listed())) == []


def told_by_the_proxy() -> set[str]:
    """The codes of what nginx refuses itself."""
    return set(re.findall(r'"code": "([^"]+)"', (ROOT / "deploy" / "nginx.conf").read_text()))


def test_every_code_on_the_page_is_raised():
    assert sorted(set(listed()) - raised() - told_by_the_proxy()) == []


def test_every_code_of_the_proxy_is_on_the_page():
    assert told_by_the_proxy() <= set(listed())
    assert len(told_by_the_proxy()) == 4


def test_no_code_is_on_the_page_twice():
    assert len(listed()) == len(set(listed()))


def test_every_code_says_what_to_do():
    page = (ROOT / "docs" / "problems.md").read_text()
    rows = re.findall(r"^\| `[^`]+` \| ([^|]*) \|$", page, re.MULTILINE)

    assert len(rows) == len(listed())
    assert all(len(said.split()) >= 4 for said in rows)
