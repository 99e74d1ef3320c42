"""The map of the house shows its rooms, on the floors that import-linter holds."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAP = (ROOT / "docs" / "map.md").read_text()
BESIDE = {"apps", "checks", "migrations", "templates", "static"}


def floors_of_the_linter() -> dict[str, int]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (floors,) = [each["layers"] for each in settings["contracts"] if each["id"] == "floors"]
    return {
        room: floor
        for floor, rooms in enumerate(floors, start=1)
        for room in re.findall(r"\w+", rooms)
    }


def test_map_has_every_room_on_its_floor():
    mapped = {room: int(floor) for floor, room in re.findall(r"\| (\d+) \| `(\w+)` \|", MAP)}

    assert mapped == floors_of_the_linter()


def test_every_folder_and_module_is_on_the_map():
    found = {
        path.stem for path in (ROOT / "registry").iterdir() if not path.name.startswith(("_", "."))
    }

    assert found == {*floors_of_the_linter(), *BESIDE}
    (beside,) = [line for line in MAP.splitlines() if line.startswith("Beside the floors")]
    assert set(re.findall(r"`(\w+)`", beside)) == BESIDE


def test_map_has_every_room_of_reporting():
    found = {path.name for path in (ROOT / "registry/reporting").glob("[a-z]*/") if path.is_dir()}
    inside = MAP.split("Inside `reporting`")[1]

    assert set(re.findall(r"^\| `(\w+)` \|", inside, re.MULTILINE)) == found


def test_decisions_are_numbered_once():
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    numbers = [int(page.name.split("-")[0]) for page in pages]

    assert len(set(numbers)) == len(numbers)
    for page, number in zip(pages, numbers, strict=True):
        assert page.read_text().startswith(f"# {number}. "), page.name
