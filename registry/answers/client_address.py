"""The address that asks: behind proxies that are counted, and never what anybody may write."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings

NETWORK_OF_ONE = 64
"""Bits of an IPv6 address that name a network: whoever has one has all addresses in it."""


def client_address(request: Any) -> str | None:
    """The IPv4 address that asks, or the network (/64) of its IPv6 address, None where neither is.

    `X-Forwarded-For` is read from the right, where BEHIND_PROXY trusted proxies have added to it:
    what stands further left was sent by the client. Without proxies the header is ignored. None is
    one client: nobody gets a limit of their own by an address that cannot be read.
    """
    found = _parsed(_nearest(request.META))
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(IPv6Network((found, NETWORK_OF_ONE), strict=False).network_address)
        found = found.ipv4_mapped
    return str(found) if found else None


def _nearest(meta: dict[str, str]) -> str:
    """What the outermost trusted proxy says of its client, or who has connected."""
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "")
    proxies: int = settings.BEHIND_PROXY
    if not proxies or not forwarded:
        return meta.get("REMOTE_ADDR") or ""
    hops = forwarded.split(",")
    return hops[-min(proxies, len(hops))]


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address, without the port or the brackets that some proxies add."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None
