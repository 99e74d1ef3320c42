"""Tokens for scripts and dashboards: created with a password, listed and revoked by their owner."""

from copy import copy
from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db.models import QuerySet
from django_otp import match_token, user_has_device
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.utils.html import is_html_input
from rest_framework.views import APIView

from registry.api.authentication import TokenAuthentication
from registry.api.compression import PlainForms, PlainPartedForms
from registry.api.described import OPEN, listing, problems
from registry.api.pagination import page_of
from registry.api.parameters import PAGING, refuse_unknown
from registry.api.parsers import StrictJSONParser
from registry.api.throttling import TokensLimit
from registry.models import Token, User
from registry.records import Fault, RowRuleBroken, UnknownRow
from registry.vocabulary import TokenScope


class WholeDaysField(serializers.IntegerField):
    """Days as a number; a form, which has texts alone, sends digits."""

    def to_internal_value(self, data: Any) -> int:
        """The number; refuses text in JSON, and true and false."""
        is_number = isinstance(data, int | float) and not isinstance(data, bool)
        if not is_number and not is_html_input(self.root.initial_data):
            self.fail("invalid")
        return super().to_internal_value(data)


class NewTokenSerializer(serializers.Serializer[Any]):
    """The body that creates a token; without scopes it reads statistics only."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(
        max_length=200, trim_whitespace=False, style={"input_type": "password"}
    )
    otp = serializers.CharField(
        max_length=16, required=False, help_text="The current code, where the account has one."
    )
    label = serializers.CharField(max_length=60, required=False, allow_blank=True)  # type: ignore[assignment]
    scopes = serializers.ListField(
        child=serializers.ChoiceField(
            choices=TokenScope.choices(),
            error_messages={
                "invalid_choice": f"Give each scope by itself: {', '.join(TokenScope.codes())}."
            },
        ),
        required=False,
        allow_empty=False,
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """The fields; the most days are the deployment's."""
        most = settings.REGISTRY_TOKEN_DAYS
        said = "Whole days until it ends; without it ten hours, for a script that runs once."
        refused = f"Give whole days, from 1 to {most}."
        lasts = WholeDaysField(
            min_value=1,
            max_value=most,
            required=False,
            help_text=said,
            error_messages={"min_value": refused, "max_value": refused},
        )
        return super().get_fields() | {"lasts": lasts}


class MadeTokenSerializer(serializers.Serializer[Any]):
    """A new token, shown only once."""

    id = serializers.UUIDField()
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    scopes = serializers.ListField(child=serializers.CharField())


class TokenSerializer(serializers.Serializer[Token]):
    """A token without its key, which the registry does not store."""

    id = serializers.UUIDField(source="public_id")
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    scopes = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True)

    def get_scopes(self, token: Token) -> list[str]:
        """Its scopes."""
        return _scopes(token)


def _scopes(token: Token) -> list[str]:
    scopes: Any = token.scopes
    return sorted(scopes or {TokenScope.READ_STATISTICS.value})


def _reachable(request: Request) -> QuerySet[Token]:
    """The caller's tokens; a token without all scopes sees only itself."""
    own = Token.objects.filter(user=request.user)
    if isinstance(request.auth, Token) and set(_scopes(request.auth)) != set(TokenScope.codes()):
        return own.filter(pk=request.auth.pk)
    return own


class Tokens(APIView):
    """Creates tokens and lists one's own. Also takes a form: `curl -d username=... -d ...`."""

    throttle_scope = "token"
    parser_classes = (StrictJSONParser, PlainForms, PlainPartedForms)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Creating a token takes a password: a session is open to forged requests (CSRF)."""
        if self.request is not None and self.request.method == "POST":
            return [TokenAuthentication()]
        return super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        if self.request.method == "POST":
            return [AllowAny()]
        return list(super().get_permissions())  # type: ignore[arg-type]

    def get_throttles(self) -> list[BaseThrottle]:
        if self.request.method == "POST":
            return [TokensLimit()]
        return super().get_throttles()

    @extend_schema(
        operation_id="tokens_create",
        tags=["tokens"],
        auth=[],
        request=NewTokenSerializer,
        responses={201: MadeTokenSerializer, **problems(*OPEN, 413, 415, 503)},
        examples=[
            OpenApiExample(
                "With a second factor",
                value={
                    "username": "reporter",
                    "password": "correct horse",
                    "otp": "123456",
                    "scopes": ["read-rows", "write-events"],
                    "lasts": 30,
                },
                request_only=True,
            ),
            OpenApiExample(
                "A token",
                value={
                    "id": "0b6f5a3e-6b51-4a52-8ff3-52f40e3f6b5d",
                    "token": "6a0c2b0e4d7f...",
                    "expires_at": "2026-11-03T18:00:00Z",
                    "label": "",
                    "scopes": ["read-rows", "write-events"],
                },
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make a token with user name, password and, where the account has one, the current code.

        Too many failures lock the user name at that IP address for a while: 429 with Retry-After.
        """
        refuse_unknown(request)
        fields = _read(request)
        user = _signed_in(request, fields)
        token, key = Token.objects.create(
            user=user,
            label=fields.get("label", ""),
            scopes=fields.get("scopes") or [TokenScope.READ_STATISTICS],
            **({"expiry": timedelta(days=fields["lasts"])} if "lasts" in fields else {}),
        )
        bare = copy(request._request)
        vars(bare).pop("session", None)  # else the log of sign-ins opens one, and sends its cookie
        user_logged_in.send(sender=type(user), request=bare, user=user)
        made = {
            "id": token.public_id,
            "token": key,
            "expires_at": token.expiry,
            "label": token.label,
            "scopes": _scopes(token),
        }
        return Response(
            MadeTokenSerializer(made).data, status=201, headers={"Cache-Control": "no-store"}
        )

    @extend_schema(
        operation_id="tokens_list",
        tags=["tokens"],
        parameters=PAGING,
        responses={
            200: listing("TokenList", TokenSerializer),
            **problems(*OPEN),
        },
    )
    def get(self, request: Request) -> Response:
        """List one's own tokens, never their keys."""
        refuse_unknown(request, ("limit", "cursor"))
        page = page_of(_reachable(request), request, key="public_id")
        return Response(page.body(TokenSerializer))


class TokenDetail(APIView):
    """Revokes a token."""

    @extend_schema(
        operation_id="tokens_destroy",
        tags=["tokens"],
        responses={204: None, **problems(*OPEN, 404, 503)},
    )
    def delete(self, request: Request, public_id: str) -> Response:
        """Revoke one of one's own tokens; it stops working at once."""
        refuse_unknown(request)
        deleted, _rows = _reachable(request).filter(public_id=public_id).delete()
        if not deleted:
            raise UnknownRow(Fault("", "not-found", "You have no such token."))
        return Response(status=204)


def _read(request: Request) -> dict[str, Any]:
    """The validated body; raises RowRuleBroken or ValidationError."""
    if not isinstance(request.data, dict):
        raise RowRuleBroken(Fault("", "not-an-object", "Send a JSON object."))
    known = NewTokenSerializer().fields
    if unknown := [name for name in request.data if name not in known]:
        said = f"There is no such field: send {', '.join(known)}."
        raise RowRuleBroken(
            Fault(name if name.isidentifier() else "", "unknown-field", said) for name in unknown
        )
    body = NewTokenSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _signed_in(request: Request, fields: dict[str, Any]) -> User:
    """The user of this name, password and second factor; raises 401, or 429 when locked out.

    A right password that is not enough is told and counted as a wrong one is: a guesser learns
    nothing.
    """
    django_request = request._request
    credentials = {"username": fields["username"]}
    user = authenticate(django_request, password=fields["password"], **credentials)
    if isinstance(user, User):
        if not user.must_change_password and _code_matches(user, fields.get("otp", "")):
            return user
        user_login_failed.send(sender=__name__, credentials=credentials, request=django_request)
    locked = AxesProxyHandler.is_locked(django_request, credentials)
    setattr(django_request, "axes_locked_out", False)  # noqa: B010 - the reply is ours to give
    if locked:
        cool_off = get_cool_off(django_request)
        raise Throttled(wait=cool_off.total_seconds() if cool_off else 3600)
    raise AuthenticationFailed(REFUSED)


def _code_matches(user: User, otp: str) -> bool:
    """Whether this is the account's current code, or it has none and needs none."""
    if not user_has_device(user):
        return not user.must_use_code
    return bool(otp and match_token(user, otp))


REFUSED = (
    "User name, password and, where the account has a second factor, its current code (otp) do not "
    "match. A password that was given to you is changed at /login/ first, and a second factor that "
    "the registry asks of you is added there."
)
"""The one refusal: which of them is wrong is not told, nor whether the password is right."""
