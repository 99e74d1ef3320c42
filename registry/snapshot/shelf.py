"""The folder of snapshots: which one is the working one, who may replace it, what may go.

`working.json` names the working snapshot and the seal it was frozen at, `before.json` the one that
was before it; they are signed, and replaced by a rename. An old folder is deleted when it is
neither of the two nor released and has not been the working one for an hour, or earlier where
there are too many; a reader that still has it open keeps reading.
"""

import fcntl
import os
import shutil
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Self

from registry.snapshot import engines
from registry.snapshot.engine import Engine
from registry.snapshot.freeze import BUILDING, DATABASE
from registry.snapshot.integrity import MANIFEST, Damage, Look, looks, read_signed, signed
from registry.snapshot.manifest import WRITING, Manifest, write_whole
from registry.snapshot.store import Store

WORKING, BEFORE = "working.json", "before.json"
LOCK = ".freezing"
BEGUN, FAILED, DONE = ".freeze-begun", ".freeze-failed", ".freeze-done"
"""Empty files whose times say when a freeze last began, by how it went."""
SECONDS_KEPT = 3600
_SECONDS_TO_START = 60
_TURN = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """Which snapshot is the working one, and what the database's newest seal was at its freeze.

    seconds: how long that freeze took.
    """

    snapshot_id: str
    seal_number: int
    seal_hash: str
    data_as_of: str | None
    seconds: float = 0.0

    @property
    def as_of(self) -> datetime | None:
        """The instant of the newest seal."""
        return datetime.fromisoformat(self.data_as_of) if self.data_as_of else None

    @classmethod
    def read(cls, root: Path, *, key: bytes = b"", name: str = WORKING) -> Self | None:
        """The working snapshot, or None where none was ever frozen.

        name: BEFORE for the one that was before it. Raises Damage where the file is not what was
        written under this key.
        """
        if not (root / name).exists():
            return None
        try:
            return cls(**read_signed(root / name, key))
        except TypeError:
            raise Damage("altered", f"{name} is of another version.") from None

    def write(self, root: Path, *, key: bytes = b"", name: str = WORKING) -> None:
        """Make this the working snapshot, for every process at once; or the one before it."""
        write_whole(root / name, signed(asdict(self), key))


@contextmanager
def freezing(root: Path, *, wait: float | None = None) -> Iterator[bool]:
    """Hold the right to freeze; one process at a time has it.

    wait: for how many seconds to wait for another that has it, and give False then; None waits
    for as long as it takes. What a freeze that was killed left behind is removed.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked(handle, wait):
            yield False
            return
        for leftover in root.glob(f"{BUILDING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for leftover in root.glob(f"**/{WRITING}*"):
            leftover.unlink(missing_ok=True)
        yield True
    finally:
        os.close(handle)


def _locked(handle: int, wait: float | None) -> bool:
    if wait is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return True
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_TURN)
        else:
            return True


@contextmanager
def attempting(root: Path) -> Iterator[None]:
    """Note that a freeze begins, and how it ended."""
    begin_attempt(root)
    try:
        yield
    except BaseException:
        os.replace(root / BEGUN, root / FAILED)
        raise
    end_attempt(root)


def begin_attempt(root: Path) -> None:
    """Note that a freeze begins now."""
    (root / BEGUN).touch(mode=0o600)
    os.utime(root / BEGUN)


def end_attempt(root: Path) -> None:
    """Note that the working snapshot follows again."""
    (root / FAILED).unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.replace(root / BEGUN, root / DONE)


def seconds_since_attempt(root: Path, *, now: float | None = None) -> float:
    """How long ago a freeze last began, however it ended; infinite where none ever did."""
    known = [_modified(root / name) for name in (BEGUN, FAILED, DONE)]
    began = [instant for instant in known if instant is not None]
    return (time.time() if now is None else now) - max(began, default=float("-inf"))


def is_failing(root: Path, *, now: float | None = None) -> bool:
    """Whether the last freeze failed, or was killed: begun a while ago, and not under way.

    So does every freeze where nothing can be written, as on a disk that is mounted read-only: it
    leaves no note.
    """
    if (root / FAILED).exists() or not os.access(root, os.W_OK):
        return True
    began = _modified(root / BEGUN)
    if began is None or (time.time() if now is None else now) - began < _SECONDS_TO_START:
        return False
    with freezing(root, wait=0) as free:
        return free and (root / BEGUN).exists()


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class _Opened:
    """A snapshot that this process has open, how its files looked, and under which key."""

    looked: Mapping[str, Look]
    key: bytes
    engine: Engine
    store: Store


_opened: OrderedDict[Path, _Opened] = OrderedDict()
_opening = Lock()
MOST_OPEN = 8


def open_store(root: Path, snapshot_id: str, *, key: bytes = b"") -> Store:
    """Open a snapshot for reading, and hold its files to its signed manifest.

    It stays open in this process until others push it out. Files are read for their digests once,
    and again when they look different; otherwise the cost is a look at each. key: that of the
    freeze. Raises Damage where the files are not what was frozen, and FileNotFoundError where the
    folder is gone.
    """
    folder = root / snapshot_id
    with _opening:
        try:
            return _held(folder, key)
        except BaseException:
            _let_go(folder)
            raise


def _held(folder: Path, key: bytes) -> Store:
    looked = looks(folder)
    held = _opened.get(folder)
    if held is not None and (held.looked, held.key) == (looked, key):
        _opened.move_to_end(folder)
        return held.store
    manifest = Manifest.sound(folder, key=key)
    if held is not None and _content(held.looked) == _content(looked):
        opened = _Opened(looked, key, held.engine, held.store)  # linked elsewhere, say
    else:
        _let_go(folder)
        engine = engines.opened(folder, manifest)
        opened = _Opened(looked, key, engine, Store(engine, manifest))
    if looks(folder) != looked:
        raise Damage("altered", "Its files changed while they were checked.")
    _opened[folder] = opened
    _opened.move_to_end(folder)
    while len(_opened) > MOST_OPEN:
        _opened.popitem(last=False)
    return opened.store


def _content(looked: Mapping[str, Look]) -> tuple[int, int, int]:
    """What of the database's look changes with its content."""
    return looked[DATABASE][:3]


def _let_go(folder: Path) -> None:
    """Close a snapshot whose files were replaced: DuckDB would go on with the old one."""
    held = _opened.pop(folder, None)
    if held is not None:
        held.engine.close()


def forget_open() -> None:
    """Forget which snapshots this process has open, as a new process would."""
    with _opening:
        _opened.clear()


def tidy(
    root: Path,
    *,
    keep: frozenset[str],
    most: int | None = None,
    most_bytes: int | None = None,
    now: float | None = None,
) -> list[str]:
    """Delete snapshots that nobody needs and name them; call it while freezing.

    keep: the working snapshot, the one before it and every release. The others stay for an hour
    after they were last the working one (`retire` notes when that was), but no more than `most`
    of them and no more than `most_bytes` of all files: the oldest go first.
    """
    before = (time.time() if now is None else now) - SECONDS_KEPT
    others = sorted((_retired_at(each), each) for each in folders(root) if each.name not in keep)
    room = None if most_bytes is None else most_bytes - bytes_of(root)
    gone: list[str] = []
    for at, folder in others:
        too_many = most is not None and len(others) - len(gone) > most
        if not (at < before or too_many or (room is not None and room < 0)):
            continue
        size = _size(folder)
        trash = root / f"{BUILDING}gone-{folder.name}"
        folder.rename(trash)  # whole or gone, should this be killed
        shutil.rmtree(trash)
        room = None if room is None else room + size
        gone.append(folder.name)
    return sorted(gone)


def bytes_of(root: Path) -> int:
    """How much all snapshots take on the disk; a file that several share counts once."""
    return sum(_sizes(folders(root)).values())


def _size(folder: Path) -> int:
    """What deleting a folder frees: its files that no other snapshot shares."""
    return sum(size for (_, links), size in _sizes([folder]).items() if links == 1)


def _sizes(some: list[Path]) -> dict[tuple[int, int], int]:
    found = [path.lstat() for folder in some for path in folder.iterdir()]
    return {(each.st_ino, each.st_nlink): each.st_size for each in found}


def folders(root: Path) -> list[Path]:
    """The folder of each snapshot, whole or not."""
    if not root.exists():
        return []
    return [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]


def _retired_at(folder: Path) -> float:
    """When a snapshot was last the working one; long ago where it has no manifest."""
    return _modified(folder / MANIFEST) or 0.0


def retire(root: Path, snapshot_id: str) -> None:
    """Note that a snapshot was the working one until now."""
    manifest = root / snapshot_id / MANIFEST
    if manifest.exists():
        os.utime(manifest)
