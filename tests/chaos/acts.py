"""What is killed, and how it is told afterwards what a kill has cost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.utils import load_backend
from django.test import override_settings

from registry.backup.refusals import UnusableBackup
from registry.backup.restoring import look_into
from registry.intake import add_member, load_catalogue, make_site
from registry.keys import read_snapshot_key
from registry.models import Event, Seal, Snapshot, Token, User
from registry.models.verification import verify_trail
from registry.snapshot import shelf
from registry.snapshot.integrity import Damage
from registry.snapshot.manifest import Manifest
from registry.snapshot.shelf import Working
from registry.vocabulary import TokenScope
from tests.chaos import serving
from tests.chaos.databases import a_database
from tests.chaos.killing import Tally, killed, seconds_of, seen

SITE = "HERE-1"
HEADER = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome"
)
ROW = f"{SITE},{{key}},,infection-pocket,2020,,3,hospitalisation,recovered"
ROWS = 200
"""How many events each imported file has."""
BUSY = 1.15
"""Kills come up to so many times as late as the act took alone, so that some come too late."""

Asked = dict[str, Any]


def root() -> Path:
    return Path(settings.REGISTRY_VAR) / "snapshots"


def prepare() -> None:
    """A registry with a site, a nurse and some events."""
    seen(_prepare)


def _prepare() -> None:
    call_command("migrate", verbosity=0)
    load_catalogue()
    manager = User.objects.create_superuser("manager")
    nurse = User.objects.create_user("nurse")
    add_member(make_site(code=SITE, by=manager), user=nurse, by=manager)
    _import(_file(Path(settings.REGISTRY_VAR), "bgn"))
    call_command("freeze")


def _file(folder: Path, word: str) -> Path:
    """A file of events whose keys begin with a word that has no vowels."""
    path = folder / f"{word}.csv"
    rows = [ROW.format(key=_key(word, number)) for number in range(ROWS)]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def _key(word: str, number: int) -> str:
    return f"{word}-{number}"


def _import(file: Path) -> None:
    call_command("import_csv", by="nurse", events=str(file))


def _of(word: str) -> int:
    return Event.objects.filter(source_id__startswith=f"{word}-").count()


def _faults_of_trail() -> list[str]:
    return [one.what for one in verify_trail().breaks]


def importing(asked: Asked, draw: random.Random) -> Tally:
    """`import_csv`: all rows of the file or none."""
    tally, folder = Tally(), Path(asked["folder"])
    within = BUSY * seconds_of(partial(_import, _file(folder, "t")))
    for number in range(asked["kills"]):
        word = f"k{number}x"
        done = killed(partial(_import, _file(folder, word)), within=within, draw=draw)
        held = seen(partial(_of, word))
        tally.kills += not done
        tally.finished += done
        tally.acknowledged += done
        tally.lost += done and held == 0
        tally.half += held not in (0, ROWS)
    return _with_trail(tally)


def _with_trail(tally: Tally) -> Tally:
    """The tally, in which a trail that does not hold counts as half."""
    faults = seen(_faults_of_trail)
    tally.half += len(faults)
    tally.notes += faults
    return tally


def _write_one(word: str) -> None:
    """Write an event, so that there is something to freeze."""
    from registry.intake import import_records
    from registry.records import RawReport, RowKind

    values = dict(zip(HEADER.split(","), ROW.format(key=word).split(","), strict=True))
    nurse = User.objects.get(username="nurse")
    import_records(
        {RowKind.EVENT: [RawReport(kind=RowKind.EVENT, values=values, line=2)]}, by=nurse
    )


def _leftovers(folder: Path, *patterns: str) -> int:
    return sum(len(list(folder.glob(pattern))) for pattern in patterns)


LEFT_BY_FREEZES = (f"{shelf.BUILDING}*", ".writing-*", "*/.writing-*")


def freezing(asked: Asked, draw: random.Random) -> Tally:
    """`freeze`: the working snapshot is sound, the old one or the new one."""
    tally, freeze = Tally(), partial(call_command, "freeze")
    seen(partial(_write_one, "fr"))
    within = BUSY * seconds_of(freeze)
    for number in range(asked["kills"]):
        seen(partial(_write_one, f"f{number}z"))
        done = killed(freeze, within=within, draw=draw)
        sound, is_newest = seen(_working)
        tally.kills += not done
        tally.finished += done
        tally.acknowledged += done
        tally.half += not sound
        tally.lost += done and not is_newest
    seen(freeze)
    tally.leftovers += _leftovers(root(), *LEFT_BY_FREEZES)
    return tally


def _working() -> tuple[bool, bool]:
    """Whether the working snapshot is sound, and whether it is of the newest seal."""
    key = read_snapshot_key()
    try:
        working = Working.read(root(), key=key)
        assert working is not None
        Manifest.sound(root() / working.snapshot_id, key=key)
    except (Damage, FileNotFoundError):
        return False, False
    newest = Seal.objects.order_by("-number").values_list("number", flat=True).first()
    return True, working.seal_number == newest


def releasing(asked: Asked, draw: random.Random) -> Tally:
    """`freeze --release`: a release that is listed is there and sound."""
    tally = Tally()
    seen(partial(_write_one, "rl"))
    within = BUSY * seconds_of(partial(call_command, "freeze", release="first"))
    for number in range(asked["kills"]):
        seen(partial(_write_one, f"r{number}z"))
        label = f"R{number}"
        release = partial(call_command, "freeze", release=label)
        done = killed(release, within=within, draw=draw)
        is_listed, sound = seen(partial(_released, label))
        tally.kills += not done
        tally.finished += done
        tally.acknowledged += done
        tally.lost += done and not is_listed
        tally.half += is_listed and not sound
    seen(partial(call_command, "freeze"))
    tally.leftovers += _leftovers(root(), *LEFT_BY_FREEZES)
    return tally


def _released(label: str) -> tuple[bool, bool]:
    row = Snapshot.objects.filter(label=label).first()
    if row is None:
        return False, False
    try:
        Manifest.sound(root() / row.snapshot_id, key=read_snapshot_key())
    except (Damage, FileNotFoundError):
        return True, False
    return True, True


def backing_up(asked: Asked, draw: random.Random) -> Tally:
    """`backup`: the file is there whole, or not at all."""
    tally, folder = Tally(), Path(asked["folder"]) / "backups"
    folder.mkdir()
    within = BUSY * seconds_of(partial(call_command, "backup", str(folder / "first.zip")))
    for number in range(asked["kills"]):
        file = folder / f"{number}.zip"
        done = killed(partial(call_command, "backup", str(file)), within=within, draw=draw)
        tally.kills += not done
        tally.finished += done
        tally.acknowledged += done
        tally.lost += done and not file.exists()
        tally.half += file.exists() and not _is_whole(file)
        file.unlink(missing_ok=True)
    seen(partial(call_command, "backup", str(folder / "last.zip")))
    tally.leftovers += _leftovers(folder, ".*")
    return tally


def _is_whole(file: Path) -> bool:
    try:
        look_into(file)
    except UnusableBackup:
        return False
    return True


def restoring(asked: Asked, draw: random.Random) -> Tally:
    """`restore`: everything or an empty database, into which it is restored afterwards."""
    tally, folder = Tally(), Path(asked["folder"]) / "restores"
    folder.mkdir()
    file = folder / "whole.zip"
    seen(partial(call_command, "backup", str(file)))
    rows = seen(_counted)
    with a_database(asked["kind"], folder) as address:
        within = BUSY * seconds_of(partial(_restore, file, address, folder / "first"))
    for number in range(asked["kills"]):
        place = folder / f"var-{number}"
        with a_database(asked["kind"], folder) as address:
            restore = partial(_restore, file, address, place)
            done = killed(restore, within=within, draw=draw)
            found = seen(partial(_at, address, place, _counted))
            tally.kills += not done
            tally.finished += done
            tally.acknowledged += done
            tally.lost += done and found is None
            tally.half += found is not None and found != rows
            if found is None and number % 10 == 0:  # begun again, as an operator would
                seen(restore)
                tally.half += seen(partial(_at, address, place, _counted)) != rows
                tally.leftovers += _leftovers(place / "snapshots", *LEFT_BY_FREEZES)
        shutil.rmtree(place, ignore_errors=True)
    return tally


def _restore(file: Path, address: str, place: Path) -> None:
    _at(address, place, partial(call_command, "restore", str(file)))


def _at(address: str, place: Path, act: Callable[[], Any]) -> Any:
    """Do something at another registry than this run's; in a child, which ends afterwards."""
    import dj_database_url

    place.mkdir(mode=0o700, exist_ok=True)
    known = connections["default"].settings_dict
    given = known | dj_database_url.parse(address) | {"OPTIONS": known["OPTIONS"]}
    connections["default"] = load_backend(given["ENGINE"]).DatabaseWrapper(given, "default")
    with override_settings(REGISTRY_VAR=place):
        return act()


def _counted() -> dict[str, int] | None:
    """How many rows each table has, and how many snapshots are sound; None without tables."""
    tables = sorted(connection.introspection.table_names())
    if not tables:
        return None
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            found[table] = cursor.fetchone()[0]
    folders = Snapshot.objects.values_list("snapshot_id", flat=True)
    found["sound snapshots"] = sum((root() / each / "manifest.json").exists() for each in folders)
    return found


def posting(asked: Asked, draw: random.Random) -> Tally:
    """A server under a loop of POSTs: what was answered with 201 is there."""
    tally, token = Tally(), seen(_token)
    answered: list[str] = []
    for number in range(asked["kills"]):
        with serving.served() as (child, port):
            clients = serving.Clients(port, token, f"p{number}z", count=4)
            clients.start()
            clients.wait_for_one()
            time.sleep(draw.uniform(0, 0.5))
            os.kill(child, signal.SIGKILL)
            answered += clients.join().stored
        tally.kills += 1
    tally.acknowledged = len(answered)
    tally.lost = len(set(answered) - set(seen(_keys)))
    return _with_trail(tally)


def _token() -> str:
    nurse = User.objects.get(username="nurse")
    _, token = Token.objects.create(user=nurse, label="", scopes=TokenScope.codes())
    return str(token)


def _keys() -> list[str]:
    return list(Event.objects.values_list("source_id", flat=True))


def writing_at_once(asked: Asked, draw: random.Random) -> Tally:
    """Many writers for a while: what was answered is there, and nothing else went wrong."""
    tally, token = Tally(), seen(_token)
    with serving.served() as (child, port):
        clients = serving.Clients(port, token, "w", count=asked["writers"])
        clients.start()
        time.sleep(asked["seconds"])
        clients.stop()
        met = clients.join()
        os.kill(child, signal.SIGTERM)
    tally.acknowledged = len(met.stored)
    tally.lost = len(set(met.stored) - set(seen(_keys)))
    tally.half = met.failed
    tally.notes.append(
        f"{asked['writers']} writers, {asked['seconds']:.0f} s, {len(met.stored)} stored, "
        f"{met.busy} told to come again, {met.failed} failed, slowest {met.slowest:.2f} s"
    )
    return _with_trail(tally)


ACTS: dict[str, Callable[[Asked, random.Random], Tally]] = {
    "import_csv": importing,
    "freeze": freezing,
    "freeze --release": releasing,
    "backup": backing_up,
    "restore": restoring,
    "POST": posting,
    "writers": writing_at_once,
}
