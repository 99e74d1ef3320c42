"""Noise keyed by the record set: the same records are perturbed once, and no zero becomes more."""

import hashlib
import hmac
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.disclosure.perturbation import (
    COUNT,
    NoiseKey,
    node_uniform,
    perturb_counts,
    perturb_exposure,
    record_key,
    record_keys,
)
from registry.disclosure.policy import NoiseLaw, Policy
from registry.disclosure.table import frozen_tables
from registry.vocabulary import Denominator

K1 = bytes(range(32))
K2 = bytes(range(100, 132))
KEY = NoiseKey(K2, "release-1")
MONTHS = Policy().exposure[Denominator.PUMP_MONTHS]
NOTHING = NoiseLaw(0.0, 0.0, most_added=0)
STILL = Policy(lasting=NOTHING, fresh=NOTHING)
PATIENT = uuid.UUID("12345678-1234-4234-9234-123456789abc").bytes


def test_record_key_is_the_first_61_bits_of_the_hmac():
    digest = hmac.new(K1, PATIENT, hashlib.sha256).hexdigest()
    bits = f"{int(digest, 16):0256b}"

    high, low = record_key(K1, PATIENT)

    assert f"{high:030b}" == bits[:30]
    assert f"{low:031b}" == bits[30:61]


def test_record_key_stays_what_it_was():
    # Frozen on the day it was made: a change here changes every published number.
    assert record_key(K1, PATIENT) == (824_808_904, 1_304_162_554)


@pytest.mark.parametrize("size", [32, 64, 65, 200])
def test_record_keys_are_those_of_each_record(size):
    secret = bytes(range(size))
    ids = [uuid.UUID(int=number * 2**90 + number).bytes for number in range(50)]

    keys = record_keys(secret, b"".join(ids))

    assert [tuple(row) for row in keys.tolist()] == [record_key(secret, each) for each in ids]
    assert record_keys(secret, b"").shape == (0, 2)


def test_record_keys_need_a_long_secret():
    with pytest.raises(ValueError, match="at least 32 bytes"):
        record_keys(bytes(31), PATIENT)


def test_record_key_differs_by_secret_and_by_record():
    keys = {record_key(K1, PATIENT), record_key(K2, PATIENT), record_key(K1, PATIENT[::-1])}

    assert len(keys) == 3


@pytest.mark.parametrize("secret", [b"", bytes(31)])
def test_short_secret_is_refused(secret):
    with pytest.raises(ValueError, match="at least 32 bytes"):
        record_key(secret, PATIENT)
    with pytest.raises(ValueError, match="at least 32 bytes"):
        node_uniform(secret, 1, 2, 3, purpose="count")


def uniform(high, low, n, *, secret=K2, purpose="count"):
    return node_uniform(secret, high, low, n, purpose=purpose)


def test_node_uniform_stays_what_it_was():
    assert uniform(123_456_789, 987_654_321, 7) == 0.7817709619933914


def test_node_uniform_takes_the_sums_modulo_their_bits():
    assert uniform(2**30 + 5, 2**31 + 6, 9) == uniform(5, 6, 9)
    assert uniform(5, 2**30 + 6, 9) != uniform(5, 6, 9)


def test_node_uniform_does_not_mix_up_the_parts_of_its_message():
    changed = {
        uniform(5, 6, 9),
        uniform(6, 5, 9),
        uniform(5, 6, 10),
        uniform(56, 9, 9),
        uniform(5, 6, 9, purpose="exposure"),
        uniform(5, 6, 9, secret=K1),
    }

    assert len(changed) == 6


def test_node_uniform_is_uniform():
    numbers = np.sort([uniform(high, 3 * high, 7) for high in range(20_000)])

    distance = np.abs(numbers - (np.arange(20_000) + 0.5) / 20_000).max()

    assert numbers[0] >= 0
    assert numbers[-1] < 1
    assert distance < 1.63 / 20_000**0.5  # Kolmogorov-Smirnov, 1 %


def test_purposes_are_of_this_design_and_one_of_them_of_the_release():
    assert KEY.purposes(COUNT) == ("2/count/lasting", "2/count/release/release-1")


def test_perturbed_counts_stay_what_they_were():
    # Frozen on the day they were made: a change here changes every published number.
    shown = perturb_counts(KEY, [3, 12, 40, 500], [11, 12, 13, 14], [21, 22, 23, 24])

    assert shown.tolist() == [7, 15, 41, 503]


def test_two_releases_of_one_set_share_the_lasting_part_alone():
    many = range(20_000)
    one, other = (
        perturb_counts(NoiseKey(K2, release), [60] * 20_000, list(many), [7] * 20_000) - 60
        for release in ("release-1", "release-2")
    )

    assert np.var(one) == pytest.approx(6, rel=0.05)
    assert np.cov(one, other)[0, 1] == pytest.approx(4, rel=0.06)  # the lasting part
    assert np.var(one - other) == pytest.approx(4, rel=0.06)  # the two releases' own


def test_two_releases_of_one_device_time_share_the_lasting_part_alone():
    one, other = (
        perturb_exposure(
            NoiseKey(K2, release),
            [60_000.0] * 20_000,
            [1_000] * 20_000,
            list(range(20_000)),
            [7] * 20_000,
            rule=MONTHS,
            policy=Policy(),
        )
        for release in ("release-1", "release-2")
    )

    assert np.cov(one, other)[0, 1] == pytest.approx(4 * 84**2, rel=0.06)


def test_key_shows_no_secret_in_its_repr():
    assert repr(KEY) == "<NoiseKey>"


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=40, unique=True))
def test_same_records_in_any_order_have_the_same_noise(ids):
    def perturbed(order):
        keys = [record_key(K1, public_id) for public_id in order]
        high, low = sum(key[0] for key in keys), sum(key[1] for key in keys)
        return perturb_counts(KEY, len(keys), high, low).tolist()

    assert perturbed(ids) == perturbed(sorted(ids)) == perturbed(ids[::-1])


def test_lone_patient_seen_through_forty_tables_is_perturbed_once():
    high, low = record_key(K1, PATIENT)

    seen = perturb_counts(KEY, [1] * 40, [high] * 40, [low] * 40)

    assert len(set(seen.tolist())) == 1


def test_lone_patients_are_perturbed_apart():
    keys = [record_key(K1, uuid.UUID(int=number).bytes) for number in range(2_000)]

    seen = perturb_counts(KEY, [1] * 2_000, *map(list, zip(*keys, strict=True)))

    shares = np.bincount(seen, minlength=10) / 2_000
    one, other = (table.row(1)[table.offsets >= -1] for table in frozen_tables())
    expected = np.convolve(one[:6], other[:6])  # of -2 to 8: the lone patient is 1 more
    expected = np.array([expected[:2].sum(), *expected[2:]])
    np.testing.assert_allclose(shares, expected[:10], atol=0.04)


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_true_zero_never_becomes_positive(high, low):
    assert perturb_counts(KEY, 0, high, low).tolist() == [0]


@given(st.lists(st.integers(0, 500), min_size=1, max_size=30), st.integers(0, 2**30))
def test_perturbed_count_is_never_negative_and_at_most_fourteen_more(counts, high):
    perturbed = perturb_counts(KEY, counts, [high] * len(counts), [7] * len(counts))

    assert (perturbed >= 0).all()
    assert (perturbed - counts <= 14).all()


def test_sums_of_ten_million_keys_are_taken_whole():
    high, low = 10_000_000 * (2**30 - 1), 10_000_000 * (2**31 - 1)

    assert perturb_counts(KEY, 50, high, low) == perturb_counts(KEY, 50, high % 2**30, low % 2**31)


@pytest.mark.parametrize(
    ("n", "high", "low"), [([-1], [0], [0]), ([1], [-1], [0]), ([1], [0], [-1])]
)
def test_negative_numbers_are_refused(n, high, low):
    with pytest.raises(ValueError, match="0 or more"):
        perturb_counts(KEY, n, high, low)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one entry per node"):
        perturb_counts(KEY, [1, 2], [1], [1])


def exposures(totals, devices, high=None):
    many = len(totals)
    sums = list(range(many)) if high is None else [high] * many
    return perturb_exposure(
        KEY, totals, [devices] * many, sums, [7] * many, rule=MONTHS, policy=Policy()
    )


def test_exposure_has_mean_0_noise_of_206_months():
    shown = exposures([60_000.0] * 20_000, 1_000)

    added = shown - 60_000
    assert added.mean() == pytest.approx(0, abs=4 * 206 / 20_000**0.5)
    assert added.std() == pytest.approx(205.8, rel=0.02)  # 84 x square root of 6
    assert np.mean(np.abs(added) < 205.8 * 0.6745) == pytest.approx(0.5, abs=0.02)  # normal


def test_exposure_is_rounded_to_ten_months():
    shown = exposures([5_003.25] * 50, 60)

    assert (shown % 10 == 0).all()


@pytest.mark.parametrize(("total", "rounded"), [(4.75, 0), (5.0, 10), (14.75, 10), (15.0, 20)])
def test_exposure_rounds_halves_up_so_that_engines_agree(total, rounded):
    still = perturb_exposure(KEY, [total + 4_000], [99], [0], [0], rule=MONTHS, policy=STILL)

    assert still.tolist() == [4_000 + rounded]


def test_exposure_is_never_negative():
    assert (exposures([10.0] * 500, 40) >= 0).all()


def test_exposure_of_no_device_is_nothing():
    assert exposures([0.0], 0).tolist() == [0]


def test_same_devices_with_the_same_time_are_perturbed_once():
    assert len(set(exposures([5_000.25] * 40, 60, high=11).tolist())) == 1


def test_sums_taken_in_another_order_are_the_same_time():
    assert exposures([5_000.25], 60, high=11) == exposures([5_000.2500001], 60, high=11)


def test_same_devices_with_other_time_are_perturbed_apart():
    # A first event that ends a device's time would otherwise come out as a difference.
    totals = 6_000 - np.arange(0, 400, 0.25)

    shown = exposures(totals.tolist(), 80, high=11)

    assert np.std(shown - totals) == pytest.approx(205.8, rel=0.08)


def test_two_sets_that_differ_by_one_device_do_not_tell_its_follow_up():
    draws = np.random.default_rng(5)
    follow_up = draws.integers(1, 120, 5_000)
    keys = draws.integers(0, 2**30, 5_000)
    without = exposures([5_000.0] * 5_000, 60)
    with_it = perturb_exposure(
        KEY,
        5_000.0 + follow_up,
        [61] * 5_000,
        np.arange(5_000) + keys,
        [7] * 5_000,
        rule=MONTHS,
        policy=Policy(),
    )

    for period in (10_000, 84):  # plainly, and but for whole steps of 84 months
        missed = np.abs((with_it - without - follow_up + period / 2) % period - period / 2)
        by_chance = 3 / period
        assert (missed <= 1).mean() < by_chance + 0.01


def test_exposure_and_count_of_one_set_are_perturbed_apart():
    sets = range(3_000)
    counts = perturb_counts(KEY, [60] * 3_000, list(sets), [7] * 3_000) - 60
    steps = exposures([6_000.0] * 3_000, 60) - 6_000

    assert abs(np.corrcoef(counts, steps)[0, 1]) < 0.06


@pytest.mark.parametrize("total", [-1.0, float("nan"), float("inf")])
def test_exposure_that_is_no_time_is_refused(total):
    with pytest.raises(ValueError, match="totals"):
        exposures([total], 60)
