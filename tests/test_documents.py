"""Documents name what there is: headings, files, commands, settings, codes and checks."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
SOURCES = ("registry", "registry_project", "tests", "deploy")
OF_OTHERS = {"venv", "pytest"}
"""Modules that documents run and that are not of this project."""


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request):
    """Each document in turn."""
    return request.param


@cache
def anchors(page: Path) -> set[str]:
    """What a link may name within a document: its headings, and the places that it marks."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    words = [
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower())
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    ]
    return {each.strip().replace(" ", "-") for each in words} | set(
        re.findall(r'<a id="([^"]+)"', text)
    )


@cache
def source() -> str:
    """All that the project is made of, documents left out."""
    files = [path for room in SOURCES for path in (ROOT / room).rglob("*") if path.is_file()]
    return "\n".join(
        path.read_text(errors="replace")
        for path in files
        if path != Path(__file__) and path.suffix in {".py", ".conf", ".service", ""}
    )


def test_links_lead_to_what_is_there(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith(("http:", "https:", "mailto:")):
            continue
        name, _, place = link.partition("#")
        target = (page.parent / name).resolve() if name else page

        assert target.exists(), link
        if place:
            assert place in anchors(target), link


def test_files_and_modules_that_are_named_exist(page):
    text = page.read_text()

    for name in re.findall(r"`((?:tests|registry|deploy|docs)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name
    for name in set(re.findall(r"python -m ([\w.]+)", text)) - OF_OTHERS:
        module = ROOT / name.replace(".", "/")
        assert module.with_suffix(".py").exists() or (module / "__main__.py").exists(), name


def test_commands_that_are_named_exist(page):
    text = page.read_text()
    named = re.findall(r"manage\.py ([a-z_]+)|^[#$] registry ([a-z_]+)", text, re.MULTILINE)

    assert {one or other for one, other in named} <= set(get_commands())
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in re.findall(r"`make ([a-z-]+)", text):
        assert name in made or name.startswith("bench-"), name


@cache
def options() -> dict[str, set[str]]:
    """What each command of the registry takes."""
    own = [name for name, app in get_commands().items() if app == "registry"]
    parsers = {name: load_command_class("registry", name).create_parser("", name) for name in own}
    return {name: set(parser._option_string_actions) for name, parser in parsers.items()}


def test_options_of_commands_that_are_named_are_taken(page):
    text = page.read_text().replace("\\\n", " ")
    command = rf"(?:manage\.py |registry |`)({'|'.join(options())})\b([^`\n]*)"

    for name, behind in re.findall(command, text):
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", behind)) <= options()[name], name


def test_codes_that_are_named_with_a_status_are_listed(page):
    listed = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs/problems.md").read_text(), re.MULTILINE)
    named = re.findall(r"\b[45]\d\d[ (]{1,2}`([a-z]+(?:-[a-z]+)+)`", page.read_text())

    assert set(named) <= set(listed)


def test_settings_and_checks_that_are_named_exist(page):
    text = page.read_text()

    for name in re.findall(r"\bREGISTRY_[A-Z_]+\b|\bregistry\.[EW]\d{3}\b", text):
        assert re.search(rf"\b{re.escape(name)}\b", source()), name
