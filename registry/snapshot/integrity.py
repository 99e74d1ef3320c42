"""Holds the files of a snapshot to what was frozen: SHA-256 of every file, under a signature.

The manifest lists the size and digest of each file and is signed with a key that lies neither in
the database nor in a snapshot. A file that is missing, cut, altered or not listed (a log beside
DuckDB's file would be replayed into it) is damage, and nothing is answered from it.
"""

import hashlib
import hmac
import json
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
SIGNATURE, SIGNED_BY = "signature", "signed_by"
FILES_KNOWN = 256
"""How many files' digests a process keeps in mind: 4 of a snapshot."""

Look = tuple[int, int, int, int]
"""A file as it lies there: inode, size, and the instants of the last change of content and of
anything. What is the same in all has the same bytes."""

Files = Mapping[str, tuple[int, str]]
"""The size and the SHA-256 of each file, by its name."""


class Damage(Exception):
    """A snapshot, or a file beside it, is not what was frozen; the text names the file.

    code: missing, altered, unreadable, unsigned, or other-key (signed under another key).
    """

    def __init__(self, code: str, said: str) -> None:
        self.code = code
        super().__init__(said)


def looks(folder: Path) -> Mapping[str, Look]:
    """Every file of a folder as it lies there; raises FileNotFoundError where there is none."""
    try:
        return {path.name: _look(path) for path in sorted(folder.iterdir())}
    except FileNotFoundError:
        if folder.is_dir():
            raise Damage("missing", "A file went away while it was looked at.") from None
        raise
    except OSError as error:
        raise _unreadable(folder.name, error) from error


def _look(path: Path) -> Look:
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise Damage("altered", f"{path.name} is no plain file.")
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def digests_of(folder: Path) -> Files:
    """The size and digest of every file of a folder but its manifest."""
    return {name: digest_of(folder / name) for name in looks(folder) if name != MANIFEST}


def digest_of(path: Path) -> tuple[int, str]:
    """The size and digest of a file; raises FileNotFoundError where there is none."""
    look = _look(path)
    return look[1], _digest(path, look)


def hold_to(files: Files, folder: Path, found: Mapping[str, Look]) -> None:
    """Raise Damage unless a folder holds exactly these files, and its manifest.

    A file whose digest this process has worked out is not read again as long as it looks the same.
    """
    for name, (size, digest) in files.items():
        if name not in found:
            raise Damage("missing", f"{name} is missing.")
        if found[name][1] != size:
            raise Damage("altered", f"{name} has another length than when it was frozen.")
        if _digest(folder / name, found[name]) != digest:
            raise Damage("altered", f"{name} has other bytes than when it was frozen.")
    for name in found:
        if name not in files and name != MANIFEST:
            raise Damage("altered", f"{name} does not belong to the snapshot.")


@lru_cache(maxsize=FILES_KNOWN)
def _digest(path: Path, look: Look) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise Damage("missing", f"{path.name} is missing.") from None
    except OSError as error:
        raise _unreadable(path.name, error) from error


def signed(content: Mapping[str, Any], key: bytes) -> str:
    """A JSON object as text, with the mark of the key and, last, a signature over all before it."""
    text = json.dumps({**content, SIGNED_BY: mark_of(key)}, sort_keys=True)
    return text[:-1] + _ending(text.encode(), key)


def read_signed(path: Path, key: bytes) -> dict[str, Any]:
    """What `signed` wrote; raises Damage where it is anything else, missing included."""
    try:
        written = path.read_bytes()
        content = json.loads(written)
    except FileNotFoundError:
        raise Damage("missing", f"{path.name} is missing.") from None
    except OSError as error:
        raise _unreadable(path.name, error) from error
    except ValueError:
        raise Damage("altered", f"{path.name} is cut or altered.") from None
    if not isinstance(content, dict):
        raise Damage("altered", f"{path.name} is cut or altered.")
    if content.pop(SIGNATURE, None) is None:
        raise Damage("unsigned", f"{path.name} is not signed.")
    before, ending = written[:-ENDING], written[-ENDING:]
    if not hmac.compare_digest(ending, _ending(before + b"}", key).encode()):
        if content.get(SIGNED_BY, mark_of(key)) != mark_of(key):
            raise Damage("other-key", f"{path.name} is signed under another key.")
        raise Damage("altered", f"{path.name} is not what was signed.")
    del content[SIGNED_BY]
    return content


def _ending(text: bytes, key: bytes) -> str:
    return f', "{SIGNATURE}": "{hmac.digest(key, text, "sha256").hex()}"}}'


ENDING = len(_ending(b"", b""))
"""How many bytes of a signed file its signature takes."""


def mark_of(key: bytes) -> str:
    """16 hexadecimal digits that tell a key from others and disclose nothing of it."""
    return hmac.digest(key, b"mark of the key of snapshots", "sha256").hex()[:16]


def _unreadable(name: str, error: OSError) -> Damage:
    return Damage("unreadable", f"{name} cannot be read: {error.strerror}.")
