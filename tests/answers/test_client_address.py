"""Whose attempts and requests are counted: the address behind counted proxies, and no other."""

import pytest
from axes.models import AccessAttempt
from django.test import RequestFactory

from registry.answers.client_address import client_address
from tests.factories import UserFactory


def asking(forwarded=None, connected="192.0.2.9"):
    sent = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=connected, **sent)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, None, "192.0.2.9"),
        (0, "198.51.100.1", "192.0.2.9"),
        (1, "203.0.113.5, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.5, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "198.51.100.1"),
        (1, None, "192.0.2.9"),
        (1, "198.51.100.1:4711", "198.51.100.1"),
        (1, " [2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        (1, "::ffff:198.51.100.1", "198.51.100.1"),
        (1, "unknown", None),
        (1, "203.0.113.5, ", None),
    ],
)
def test_address_is_read_from_the_right_behind_counted_proxies(settings, proxies, forwarded, found):
    settings.BEHIND_PROXY = proxies

    assert client_address(asking(forwarded)) == found


def test_socket_without_a_proxy_has_no_address(settings):
    settings.BEHIND_PROXY = 1

    assert client_address(asking(connected="")) is None


def fail(client, forwarded):
    sent = {"username": "reporter", "password": "wrong"}
    return client.post("/login/", sent, headers={"X-Forwarded-For": forwarded})


@pytest.mark.django_db
def test_lock_out_is_not_evaded_by_a_forged_address(client, settings):
    settings.BEHIND_PROXY = 1
    UserFactory(username="reporter")

    replies = [fail(client, f"203.0.113.{n}, 198.51.100.1") for n in range(8)]

    assert replies[-1].status_code == 429
    assert {each.ip_address for each in AccessAttempt.objects.all()} == {"198.51.100.1"}
    assert fail(client, "198.51.100.2").status_code == 200


@pytest.mark.django_db
def test_lock_out_counts_an_ipv6_network_as_one(client, settings):
    settings.BEHIND_PROXY = 1
    UserFactory(username="reporter")

    replies = [fail(client, f"2001:db8:1:2::{n:x}") for n in range(8)]

    assert replies[-1].status_code == 429
    assert fail(client, "2001:db8:1:3::1").status_code == 200
