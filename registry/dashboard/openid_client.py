"""What mozilla-django-oidc does for the sign-in through a hospital, held to the whole standard.

Needs the extra `oidc`. The library sends people to the provider with state, nonce and PKCE, trades
the code for a token and finds the key; of a token it checks signature and nonce. What else OpenID
Connect Core 1.0 (3.1.3.7) asks is checked here: algorithm, issuer, audience, authorised party and
times. Nobody is created and no role is read from claims.
"""

import logging
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationRequestView

ALGORITHM = "RS256"
SCOPES = "openid profile email"
TIMEOUT = 5
"""Seconds for each reply of the provider."""

LEEWAY = 60
"""Seconds by which two clocks may differ."""

DISCOVERED_FOR = 3600
"""Seconds for which a process keeps the provider's addresses."""

REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

logger = logging.getLogger(__name__)
_discovered: dict[str, tuple[float, dict[str, str]]] = {}


class ProviderRefused(Exception):
    """The provider did not answer, refused, or said what does not hold; nobody is signed in."""


def is_safe_address(address: object) -> bool:
    """Whether an address is https, or http on this machine alone."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_here)
    )


def discovered() -> dict[str, str]:
    """The provider's addresses, from its own discovery document; kept for an hour.

    Raises ProviderRefused where it does not answer, is of another issuer, or names an address
    that is not https.
    """
    issuer = settings.REGISTRY_OIDC_ISSUER
    kept = _discovered.get(issuer)
    if kept is not None and time.monotonic() - kept[0] < DISCOVERED_FOR:
        return kept[1]
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        reply = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
        reply.raise_for_status()
        found = reply.json()
    except (requests.RequestException, ValueError) as failed:
        raise ProviderRefused("The provider's discovery document cannot be read.") from failed
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise ProviderRefused("The discovery document is of another issuer.")
    if not all(is_safe_address(found.get(name)) for name in ENDPOINTS):
        raise ProviderRefused("The discovery document lacks an address, or one is not https.")
    _discovered[issuer] = (time.monotonic(), found)
    return found


def forget_discovered() -> None:
    """Read the discovery document anew at the next sign-in."""
    _discovered.clear()


def client_setting(name: str, *default: Any) -> Any:
    """A setting of the library, out of the registry's own and the provider's addresses."""
    own: dict[str, Any] = {
        "OIDC_RP_CLIENT_ID": settings.REGISTRY_OIDC_CLIENT_ID,
        "OIDC_RP_CLIENT_SECRET": str(settings.REGISTRY_OIDC_CLIENT_SECRET),
        "OIDC_RP_SIGN_ALGO": ALGORITHM,
        "OIDC_RP_SCOPES": SCOPES,
        "OIDC_USE_NONCE": True,
        "OIDC_USE_PKCE": True,
        "OIDC_PKCE_CODE_CHALLENGE_METHOD": "S256",
        "OIDC_TIMEOUT": TIMEOUT,
        "OIDC_AUTHENTICATION_CALLBACK_URL": "provider-callback",
        "OIDC_CREATE_USER": False,
        "OIDC_OP_USER_ENDPOINT": "",  # claims are those of the signed token alone
    }
    addresses = {
        "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
        "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
        "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
    }
    if name in addresses:
        return discovered()[addresses[name]]
    return own[name] if name in own else default[0]


class ToProvider(OIDCAuthenticationRequestView):
    """Sends a person to the provider, with a state, a nonce and a PKCE challenge."""

    get_settings = staticmethod(client_setting)


class ProviderClient(OIDCAuthenticationBackend):
    """Trades a code for a token, and reads its claims once all of it holds."""

    get_settings = staticmethod(client_setting)

    def claims_of(self, request: HttpRequest, *, address: str, known: dict[str, str]) -> Any:
        """The claims behind the code of a callback.

        address: of the callback, as it was sent to the provider. known: nonce and code verifier of
        this state. Raises ProviderRefused.
        """
        asked = {
            "client_id": self.OIDC_RP_CLIENT_ID,
            "client_secret": self.OIDC_RP_CLIENT_SECRET,
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": address,
            "code_verifier": known["code_verifier"],
        }
        try:
            token = self.get_token(asked)["id_token"]
            return self.verify_token(token, nonce=known["nonce"])
        except requests.RequestException as failed:
            raise ProviderRefused("The provider gave no token or no keys.") from failed
        except jwt.PyJWTError as failed:
            raise ProviderRefused(f"The token does not hold: {type(failed).__name__}.") from failed
        except SuspiciousOperation as failed:
            raise ProviderRefused("No key of the provider fits the token.") from failed
        except (KeyError, TypeError, ValueError, AttributeError) as failed:
            raise ProviderRefused("The provider's reply cannot be read.") from failed

    def verify_token(self, token: str, **known: Any) -> dict[str, Any]:
        """The claims of a token that holds: signature, issuer, audience, times and nonce."""
        client = self.OIDC_RP_CLIENT_ID
        claims: dict[str, Any] = jwt.decode(
            token,
            self.retrieve_matching_jwk(token),
            algorithms=[ALGORITHM],
            audience=client,
            issuer=settings.REGISTRY_OIDC_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client) != client:
            raise ProviderRefused("The token is for another party.")
        if not constant_time_compare(str(claims["nonce"]), known["nonce"]):
            raise ProviderRefused("The token answers another sign-in: its nonce differs.")
        return claims


def provider_sign_out(back: str) -> str:
    """The address at which the provider's own session ends; empty where it has none.

    back: where the provider leads afterwards.
    """
    try:
        address = discovered().get("end_session_endpoint", "")
    except ProviderRefused as refused:
        logger.warning("No sign-out at the provider: %s", refused)
        return ""
    if not is_safe_address(address):
        return ""
    asked = {"client_id": settings.REGISTRY_OIDC_CLIENT_ID, "post_logout_redirect_uri": back}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
