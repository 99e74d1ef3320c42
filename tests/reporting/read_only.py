"""A folder on a disk that is mounted read-only, for one thread of a test."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest
from django.db import connections

T = TypeVar("T")

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18


def on_read_only_disk(folder: Path, act: Callable[[], T]) -> T:
    """What an act gives, or raises, while the folder is on a disk mounted read-only.

    In a mount namespace of a thread of its own, so that nobody else sees the mount, and nothing is
    left of it. The thread has the test's connection. Skips the test where the kernel refuses.
    """
    ended: dict[str, Any] = {}
    shared = connections["default"]
    shared.inc_thread_sharing()

    def run() -> None:
        connections["default"] = shared
        try:
            _mount_read_only(folder)
        except OSError as error:
            ended["refused"] = error
            return
        try:
            ended["result"] = act()
        except BaseException as error:  # raised again by the test's own thread
            ended["error"] = error

    thread = Thread(target=run)
    thread.start()
    thread.join()
    shared.dec_thread_sharing()
    if "refused" in ended:
        pytest.skip(f"needs root and mount namespaces: {ended['refused'].strerror}")
    if "error" in ended:
        raise ended["error"]
    result: T = ended["result"]
    return result


def _mount_read_only(folder: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.fsencode(folder)
    _done(libc.unshare(CLONE_NEWNS))
    _done(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    _done(libc.mount(here, here, None, MS_BIND, None))
    _done(libc.mount(here, here, None, MS_BIND | MS_REMOUNT | MS_RDONLY, None))


def _done(code: int) -> None:
    if code:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
