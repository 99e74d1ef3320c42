"""The folder of snapshots: which one is the working one, who may replace it, what may go.

`working.json` names the working snapshot and the seal it was frozen at; it is replaced by a
rename. An old folder is deleted when it is neither working nor released and has not been the
working one for an hour; a reader that still has it open keeps reading.
"""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

from registry.snapshot.engine import DuckDB
from registry.snapshot.freeze import BUILDING, DATABASE
from registry.snapshot.manifest import MANIFEST, Manifest
from registry.snapshot.store import Store

WORKING = "working.json"
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
    def read(cls, root: Path) -> Self | None:
        """The working snapshot, or None where none was ever frozen."""
        try:
            return cls(**json.loads((root / WORKING).read_text()))
        except FileNotFoundError:
            return None

    def write(self, root: Path) -> None:
        """Make this the working snapshot, for every process at once."""
        handle, name = tempfile.mkstemp(prefix=".working-", dir=root)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, root / WORKING)


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
    """Whether the last freeze failed, or was killed: begun a while ago, and not under way."""
    if (root / FAILED).exists():
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


def open_store(root: Path, snapshot_id: str) -> Store:
    """Open a snapshot for reading; it stays open in this process until others push it out.

    Raises FileNotFoundError where the folder is gone.
    """
    return _open(root / snapshot_id)


@lru_cache(maxsize=8)
def _open(folder: Path) -> Store:
    manifest = Manifest.read(folder)
    rows = max(manifest.events, manifest.implants, manifest.exposures)
    return Store(DuckDB(folder / DATABASE, rows=rows), manifest)


def tidy(root: Path, *, keep: frozenset[str], now: float | None = None) -> list[str]:
    """Delete snapshots that nobody needs and name them; call it while freezing.

    keep: the working snapshot and every release. The others stay for an hour after they were
    last the working one (`retire` notes when that was).
    """
    before = (time.time() if now is None else now) - SECONDS_KEPT
    gone = []
    for manifest in root.glob(f"*/{MANIFEST}"):
        folder = manifest.parent
        if folder.name not in keep and manifest.stat().st_mtime < before:
            shutil.rmtree(folder)
            gone.append(folder.name)
    return sorted(gone)


def retire(root: Path, snapshot_id: str) -> None:
    """Note that a snapshot was the working one until now."""
    manifest = root / snapshot_id / MANIFEST
    if manifest.exists():
        os.utime(manifest)
