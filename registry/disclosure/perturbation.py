"""Noise fixed by a set of records and a release: one set has one perturbation in each release.

Each record has a key, made from its random id under a secret K1. The keys of a node's records are
summed. The sums under a second secret K2 give two uniform numbers: one that stays with the set for
ever, and one that each release draws anew. At each of them a part of the perturbation is looked up
in its frozen table or, for device time, in the normal distribution. Names of nodes have no
influence.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from registry.disclosure.policy import ExposureRule, Policy
from registry.disclosure.table import IntArray, Noise, frozen_tables

HIGH_BITS, LOW_BITS = 30, 31
LEAST_SECRET = 32
HALF_STEP = 2.0**-54
"""Half the spacing of the uniform numbers: keeps quantiles finite."""

COUNT = "2/count"
EXPOSURE = "2/exposure"
"""Purposes of the noise key under the second design of protection, which no other design had."""


@dataclass(frozen=True, slots=True, repr=False)
class NoiseKey:
    """K2 and the release that an answer is about: what noise is drawn at.

    secret: 32 bytes or more; must never change. release: the id of the release's snapshot.
    """

    secret: bytes
    release: str

    def __repr__(self) -> str:
        """Never show the key."""
        return "<NoiseKey>"

    def purposes(self, purpose: str) -> tuple[str, str]:
        """Those of the part that lasts, and of the part that belongs to this release."""
        return f"{purpose}/lasting", f"{purpose}/release/{self.release}"


def record_key(secret: bytes, public_id: bytes) -> tuple[int, int]:
    """The 61-bit key of one record, as 30 high and 31 low bits, from HMAC-SHA256(K1, its id).

    In two parts, so that sums over many records stay within 64 bits on any engine. public_id: the
    16 bytes of the record's random id. Raises ValueError where the secret is shorter than 32 bytes.
    """
    bits = int.from_bytes(_digest(secret, public_id)[:8], "big") >> (64 - HIGH_BITS - LOW_BITS)
    return bits >> LOW_BITS, bits & ((1 << LOW_BITS) - 1)


def record_keys(secret: bytes, public_ids: bytes) -> IntArray:
    """The keys of many records as `record_key` gives them: a row of two numbers for each.

    public_ids: 16 bytes each, one after the other. 1.5 microseconds a record: HMAC's two inner
    states (RFC 2104) are made once for all.
    """
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"secret: give a key of at least {LEAST_SECRET} bytes.")
    padded = (sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = sha256(bytes(byte ^ 0x5C for byte in padded))
    starts = []
    for place in range(0, len(public_ids), 16):
        message, result = inner.copy(), outer.copy()
        message.update(public_ids[place : place + 16])
        result.update(message.digest())
        starts.append(result.digest()[:8])
    bits = np.frombuffer(b"".join(starts), ">u8") >> np.uint64(64 - HIGH_BITS - LOW_BITS)
    low = bits & np.uint64((1 << LOW_BITS) - 1)
    return np.column_stack([bits >> np.uint64(LOW_BITS), low]).astype(np.int64)


def node_uniform(secret: bytes, high_sum: int, low_sum: int, n: int, *, purpose: str) -> float:
    """A uniform number in [0, 1) fixed by a set of n records and a purpose.

    high_sum, low_sum: sums of the records' keys, taken modulo 2^30 and 2^31. The number is the
    first 53 bits of HMAC-SHA256(K2, "purpose:high:low:n") in decimal digits.
    """
    high, low = high_sum % (1 << HIGH_BITS), low_sum % (1 << LOW_BITS)
    message = f"{purpose}:{high}:{low}:{n}".encode("ascii")
    return float((int.from_bytes(_digest(secret, message)[:8], "big") >> 11) / (1 << 53))


def perturb_counts(
    key: NoiseKey,
    n: ArrayLike,
    high_sums: ArrayLike,
    low_sums: ArrayLike,
    *,
    tables: Noise | None = None,
) -> IntArray:
    """Counts with both parts of their perturbation; never below 0, and a true zero stays 0.

    n, high_sums, low_sums: one entry per node, or scalars. Do not publish the result: the threshold
    is applied afterwards.
    """
    counts, high, low = _whole(n=n, high_sums=high_sums, low_sums=low_sums)
    sets = list(zip(high.tolist(), low.tolist(), counts.tolist(), strict=True))
    perturbed = counts
    for purpose, table in zip(key.purposes(COUNT), tables or frozen_tables(), strict=True):
        uniform = [node_uniform(key.secret, *each, purpose=purpose) for each in sets]
        perturbed = perturbed + table.draw(counts, uniform)
    return np.maximum(perturbed, 0)


def perturb_exposure(
    key: NoiseKey,
    totals: ArrayLike,
    devices: ArrayLike,
    high_sums: ArrayLike,
    low_sums: ArrayLike,
    *,
    rule: ExposureRule,
    policy: Policy,
) -> IntArray:
    """Device time T perturbed to T + e x 84 months, rounded to 10; procedures and refills alike.

    e is the sum of two normal numbers with mean 0 and the variances of the two parts of a count's
    perturbation, 4 and 2: 206 months. With whole e, as for counts, the difference of two totals
    would be exact up to multiples of 84 months, about a whole follow-up. Each is drawn for the set
    of devices at a uniform number of its own, whose purpose holds the total in quarters of a month,
    and one of them the release too. So one set with one total has one perturbation in a release,
    while different totals of the same set (another year, or time up to another first event) are
    perturbed independently: a shared draw would cancel in their difference. Never below 0; without
    devices it is 0. Do not publish the result: the rule's minimum is applied afterwards.
    """
    time = np.atleast_1d(np.asarray(totals, np.float64))
    if not np.isfinite(time).all() or (time < 0).any():
        raise ValueError("totals: give finite numbers of 0 or more.")
    counts, high, low = _whole(devices=devices, high_sums=high_sums, low_sums=low_sums)
    quarters = np.rint(4 * time).astype(np.int64)
    sets = list(zip(high.tolist(), low.tolist(), counts.tolist(), quarters.tolist(), strict=True))
    kept = quarters / 4
    for purpose, law in zip(key.purposes(EXPOSURE), (policy.lasting, policy.fresh), strict=True):
        uniform = np.array(
            [
                node_uniform(key.secret, high, low, n, purpose=f"{purpose}:{quarter}")
                for high, low, n, quarter in sets
            ]
        )
        kept = kept + ndtri(uniform + HALF_STEP) * sqrt(law.most_variance) * rule.per_device
    kept = np.where(counts > 0, np.maximum(kept, 0.0), 0.0)
    return np.floor(kept / rule.rounding + 0.5).astype(np.int64) * rule.rounding


def _digest(secret: bytes, message: bytes) -> bytes:
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"secret: give a key of at least {LEAST_SECRET} bytes.")
    return hmac.digest(secret, message, "sha256")


def _whole(**given: ArrayLike) -> list[IntArray]:
    arrays = [np.atleast_1d(np.asarray(values, np.int64)) for values in given.values()]
    for name, array in zip(given, arrays, strict=True):
        if (array < 0).any():
            raise ValueError(f"{name}: give whole numbers of 0 or more.")
        if array.shape != arrays[0].shape or array.ndim != 1:
            raise ValueError(f"{name}: give one entry per node.")
    return arrays
