"""The secret keys: of disclosure control, snapshots and seals; never shown or stored.

K1 keys the records at freeze, K2 the noise of every protected answer, a third signs snapshots, and
a fourth the audit trail. They come from the environment or from a file that only the server may
read; see docs/keys.md.
"""

import base64
import binascii
import hmac
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

LEAST_BYTES = 32
KEY_FILE = "disclosure-keys.json"
SETTINGS = {"records": "REGISTRY_KEY_RECORDS", "noise": "REGISTRY_KEY_NOISE"}
"""The environment variable of each key of disclosure control, by its name in the file."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs, and may be changed: its name in the file, its variable, and the mend."""

    name: str
    setting: str
    noun: str
    again: str

    @property
    def add(self) -> str:
        """What to do where it is missing."""
        return (
            "Restore it or, if this registry never had it, run `manage.py make_keys`, which adds "
            f"it, and then `manage.py {self.again} --sign`; see docs/keys.md."
        )


SNAPSHOTS = SigningKey("snapshots", "REGISTRY_KEY_SNAPSHOTS", "snapshots", "verify_snapshots")
SEALS = SigningKey("seals", "REGISTRY_KEY_SEALS", "seals", "verify_audit")
SIGNING = (SNAPSHOTS, SEALS)


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """K1 (`records`) and K2 (`noise`), 32 bytes or more each."""

    records: bytes
    noise: bytes

    def __repr__(self) -> str:
        """A text without the keys."""
        return "<Keys>"

    @property
    def mark(self) -> str:
        """A fingerprint of the two keys, which discloses neither.

        16 hexadecimal digits of HMAC-SHA256(K1, HMAC-SHA256(K2, "mark")).
        """
        inner = hmac.digest(self.noise, b"mark", "sha256")
        return hmac.digest(self.records, inner, "sha256").hex()[:16]


@dataclass(frozen=True, slots=True)
class KeyFault:
    """Why the keys cannot be used, and how to correct it; holds no part of a key."""

    code: str
    message: str
    hint: str


def key_file() -> Path:
    """The file of the keys, used where the environment does not give them."""
    return Path(settings.REGISTRY_KEY_FILE or Path(settings.REGISTRY_VAR) / KEY_FILE)


def read_keys() -> Keys:
    """The two keys of disclosure control; in development, creates missing ones.

    Raises ImproperlyConfigured where they are missing, too short, equal, or open to others.
    """
    if settings.DEBUG and not _in_environment() and not key_file().exists():
        make_keys()
    keys, faults = _looked_up()
    if keys is None:
        raise _improper(faults)
    return keys


def read_snapshot_key() -> bytes:
    """The key that signs snapshots; in development, creates a missing one.

    Raises ImproperlyConfigured where it is missing, too short, another key's equal, or open to
    others.
    """
    return _read_signing_key(SNAPSHOTS)


def read_seal_key() -> bytes:
    """The key that signs seals and the access log; like `read_snapshot_key`."""
    return _read_signing_key(SEALS)


def _read_signing_key(which: SigningKey) -> bytes:
    key, faults = _signing_key_looked_up(which)
    if key is None and settings.DEBUG and not _is_given(which):
        make_keys()
        key, faults = _signing_key_looked_up(which)
    if key is None:
        raise _improper(faults)
    return key


def key_faults() -> tuple[KeyFault, ...]:
    """Every fault of the keys; in development, missing ones are no fault."""
    found: list[KeyFault] = []
    if not settings.DEBUG or _in_environment() or key_file().exists():
        found += _looked_up()[1]
    for which in SIGNING:
        if not settings.DEBUG or _is_given(which):
            found += _signing_key_looked_up(which)[1]
    return tuple(dict.fromkeys(found))


def make_keys() -> Path:
    """Creates the keys that are missing, in a file of mode 600, atomically; replaces none.

    Raises FileExistsError where the file lacks none, or one key of disclosure control alone: new
    ones would change the noise.
    """
    path = key_file()
    held, faults = _in_file(path)
    if path.exists() and faults:
        raise FileExistsError(path)
    missing = [
        which.name
        for which in SIGNING
        if not getattr(settings, which.setting) and which.name not in held
    ]
    if not _in_environment() and not held.keys() & SETTINGS.keys():
        missing += SETTINGS
    if not missing:
        raise FileExistsError(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".keys-", dir=path.parent)  # of mode 600
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(held | {each: secrets.token_hex(LEAST_BYTES) for each in missing}, file)
            file.flush()
            os.fsync(file.fileno())
        if held:
            os.replace(name, path)
        else:
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def _improper(faults: tuple[KeyFault, ...]) -> ImproperlyConfigured:
    return ImproperlyConfigured(" ".join(f"{each.message} {each.hint}" for each in faults))


def _in_environment() -> bool:
    return any(getattr(settings, name) for name in SETTINGS.values())


def _is_given(which: SigningKey) -> bool:
    """Whether there is such a key, or a file that cannot be read for one."""
    if getattr(settings, which.setting):
        return True
    held, faults = _in_file(key_file())
    return which.name in held or bool(faults and key_file().exists())


def _looked_up() -> tuple[Keys | None, tuple[KeyFault, ...]]:
    """The two keys of disclosure control, or their fault."""
    if _in_environment():
        texts = {each: str(getattr(settings, name)) for each, name in SETTINGS.items()}
        faults: list[KeyFault] = []
    else:
        texts, faults = _in_file(key_file())
    if faults:
        return None, tuple(faults)
    found: dict[str, bytes] = {}
    for each, name in SETTINGS.items():
        key = _read(name, texts.get(each, ""), MAKE)
        if isinstance(key, KeyFault):
            faults.append(key)
        else:
            found[each] = key
    if not faults and hmac.compare_digest(found["records"], found["noise"]):
        faults.append(KeyFault("equal", "The two disclosure keys are equal.", WELL_FORMED))
    return (None if faults else Keys(**found)), tuple(faults)


def _signing_key_looked_up(which: SigningKey) -> tuple[bytes | None, tuple[KeyFault, ...]]:
    """A key that signs, or its fault; each is looked for apart from the others."""
    held, faults = _in_file(key_file())
    text = str(getattr(settings, which.setting))
    if not text:
        if faults and not (_in_environment() and faults[0].code == "missing"):
            return None, tuple(faults)
        text = held.get(which.name, "")
    return _judged(which, text, _texts_before(which, held))


@lru_cache(maxsize=8)
def _judged(
    which: SigningKey, text: str, others: tuple[str, ...]
) -> tuple[bytes | None, tuple[KeyFault, ...]]:
    """The key of a text, or its fault; each text is decoded once, since every reply signs."""
    key = _read(which.setting, text, which.add)
    if isinstance(key, KeyFault):
        return None, (key,)
    if key in map(_decoded, filter(None, others)):
        equal = f"The key of {which.noun} is one of the other keys."
        return None, (KeyFault("equal", equal, WELL_FORMED),)
    return key, ()


def _texts_before(which: SigningKey, held: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that stand before this one: those of disclosure control, and of snapshots."""
    given = [str(getattr(settings, name)) for name in SETTINGS.values()]
    texts = given if any(given) else [held.get(each, "") for each in SETTINGS]
    earlier = SIGNING[: SIGNING.index(which)]
    texts += [str(getattr(settings, each.setting)) or held.get(each.name, "") for each in earlier]
    return tuple(texts)


def _read(name: str, text: str, mend: str) -> bytes | KeyFault:
    if not text:
        return KeyFault("missing", f"The key {name} is missing.", mend)
    key = _decoded(text)
    if key is None or len(key) < LEAST_BYTES:
        return KeyFault("too-short", f"The key {name} is too short.", WELL_FORMED)
    return key


MAKE = (
    "Restore this registry's keys or, if it never had any, run `manage.py make_keys`; "
    "see docs/keys.md."
)
WELL_FORMED = f"Give different random keys of {LEAST_BYTES} bytes or more, in hex or base64."


def _in_file(path: Path) -> tuple[dict[str, str], list[KeyFault]]:
    """The keys of the file, or its fault; it is read again once it looks different."""
    try:
        found = os.stat(path)
        look = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        held, faults = _read_file(path, look)
    except FileNotFoundError:
        return {}, [KeyFault("missing", "There are no disclosure keys.", MAKE)]
    except PermissionError:
        closed = "The file of the disclosure keys cannot be read."
        return {}, [KeyFault("missing", closed, "Make the server its owner.")]
    return dict(held), list(faults)


@lru_cache(maxsize=4)
def _read_file(
    path: Path, look: tuple[int, int, int, int]
) -> tuple[dict[str, str], tuple[KeyFault, ...]]:
    """What the file holds while it looks so; what cannot be opened is tried again each time."""
    handle = os.open(path, os.O_RDONLY)
    with os.fdopen(handle) as file:
        if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
            opened = "The file of the disclosure keys is open to other users."
            return {}, (KeyFault("loose-mode", opened, f"Run `chmod 600 {path}`."),)
        try:
            kept = json.load(file)
        except ValueError:
            kept = None
    if not isinstance(kept, dict):
        return {}, (KeyFault("missing", "The file of the disclosure keys holds none.", MAKE),)
    return {name: text for name, text in kept.items() if isinstance(text, str)}, ()


def _decoded(text: str) -> bytes | None:
    """Reads a key in hexadecimal digits or in base64, with either alphabet."""
    text = text.strip()
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text):
        return bytes.fromhex(text)
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
