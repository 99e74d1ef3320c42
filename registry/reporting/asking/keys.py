"""The two secret keys of disclosure control: read when needed, never shown or stored.

K1 keys the records at freeze, K2 the noise of every protected answer. They come from the
environment or from a file that only the server may read; see docs/keys.md.
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
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

LEAST_BYTES = 32
KEY_FILE = "disclosure-keys.json"
SETTINGS = {"records": "REGISTRY_KEY_RECORDS", "noise": "REGISTRY_KEY_NOISE"}
"""The environment variable of each key, by its name in the file."""


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
    """The keys of this deployment; in development, creates missing ones.

    Raises ImproperlyConfigured where they are missing, too short, equal, or open to others.
    """
    if settings.DEBUG and not _in_environment() and not key_file().exists():
        make_keys()
    keys, faults = _looked_up()
    if keys is None:
        raise ImproperlyConfigured(" ".join(f"{each.message} {each.hint}" for each in faults))
    return keys


def key_faults() -> tuple[KeyFault, ...]:
    """Every fault of the keys; in development, missing ones are no fault."""
    if settings.DEBUG and not _in_environment() and not key_file().exists():
        return ()
    return _looked_up()[1]


def make_keys() -> Path:
    """Creates two random keys in a file of mode 600, atomically; never overwrites a file.

    Raises FileExistsError where there is one: new keys would change the noise.
    """
    path = key_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".keys-", dir=path.parent)  # of mode 600
    try:
        with os.fdopen(handle, "w") as file:
            json.dump({name: secrets.token_hex(LEAST_BYTES) for name in SETTINGS}, file)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    finally:
        os.unlink(name)
    return path


def _in_environment() -> bool:
    return any(getattr(settings, name) for name in SETTINGS.values())


def _looked_up() -> tuple[Keys | None, tuple[KeyFault, ...]]:
    """The keys, or their fault."""
    if _in_environment():
        texts = {each: str(getattr(settings, name)) for each, name in SETTINGS.items()}
        faults: list[KeyFault] = []
    else:
        texts, faults = _in_file(key_file())
    if faults:
        return None, tuple(faults)
    found: dict[str, bytes] = {}
    for each, name in SETTINGS.items():
        key = _decoded(texts.get(each, ""))
        if not texts.get(each):
            faults.append(KeyFault("missing", f"The key {name} is missing.", MAKE))
        elif key is None or len(key) < LEAST_BYTES:
            faults.append(KeyFault("too-short", f"The key {name} is too short.", WELL_FORMED))
        else:
            found[each] = key
    if not faults and hmac.compare_digest(found["records"], found["noise"]):
        faults.append(KeyFault("equal", "The two disclosure keys are equal.", WELL_FORMED))
    return (None if faults else Keys(**found)), tuple(faults)


MAKE = (
    "Restore this registry's keys or, if it never had any, run `manage.py make_keys`; "
    "see docs/keys.md."
)
WELL_FORMED = f"Give two different random keys of {LEAST_BYTES} bytes or more, in hex or base64."


def _in_file(path: Path) -> tuple[dict[str, str], list[KeyFault]]:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return {}, [KeyFault("missing", "There are no disclosure keys.", MAKE)]
    except PermissionError:
        closed = "The file of the disclosure keys cannot be read."
        return {}, [KeyFault("missing", closed, "Make the server its owner.")]
    with os.fdopen(handle) as file:
        if stat.S_IMODE(os.fstat(handle).st_mode) & 0o077:
            opened = "The file of the disclosure keys is open to other users."
            return {}, [KeyFault("loose-mode", opened, f"Run `chmod 600 {path}`.")]
        try:
            kept = json.load(file)
        except ValueError:
            kept = None
    if not isinstance(kept, dict):
        return {}, [KeyFault("missing", "The file of the disclosure keys holds none.", MAKE)]
    return {name: text for name, text in kept.items() if isinstance(text, str)}, []


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
