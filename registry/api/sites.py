"""The sites that the caller works with."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.described import READING, WRITING, problems
from registry.api.event_steps import fields_of
from registry.api.idempotency import WrittenReply, answered_once
from registry.api.lists import ListsRows, chosen_fields, fields_parameter, list_reply, listed
from registry.api.pagination import page_of
from registry.api.parameters import PAGING, refuse_unknown
from registry.api.rows import IDEMPOTENCY_KEY, RowView
from registry.models import Site
from registry.models.rules import FIRST_YEAR, LAST_YEAR
from registry.records import Fault, UnknownRow
from registry.records.key_patterns import LONGEST_PREFIX, MOST_DIGITS
from registry.vocabulary import Component


class SiteSerializer(serializers.Serializer[Site]):
    """A site as its own staff see it."""

    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    country = serializers.CharField(allow_blank=True)
    active = serializers.BooleanField()
    round_number = serializers.IntegerField(
        allow_null=True, help_text="The last closed follow-up round; null before the first."
    )
    pump_implants_from = serializers.IntegerField(
        allow_null=True,
        help_text="From which year on its implanted pumps count, by the site's word; null: after "
        "the last year that it declared.",
    )
    catheter_implants_from = serializers.IntegerField(
        allow_null=True, help_text="The same of its catheters."
    )
    key_prefix = serializers.CharField(
        allow_blank=True,
        help_text="What its new keys begin with; empty where it declared no pattern of keys.",
    )
    key_digits = serializers.IntegerField(
        allow_null=True, help_text="How many digits follow the prefix."
    )


class ImplantsFromSerializer(serializers.Serializer[Any]):
    """The site's word: from which year on its implants of a component count."""

    component = serializers.ChoiceField(choices=Component.choices())
    year = serializers.IntegerField(
        allow_null=True,
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        help_text="What the site declared counts before that year. null takes the word back.",
    )


class KeyPatternSerializer(serializers.Serializer[Any]):
    """The site's word: what its new keys look like."""

    key_prefix = serializers.CharField(
        max_length=LONGEST_PREFIX,
        allow_blank=True,
        help_text="What every key begins with; no digit at its end. Empty: no pattern.",
    )
    key_digits = serializers.IntegerField(
        allow_null=True,
        min_value=1,
        max_value=MOST_DIGITS,
        help_text="How many digits follow the prefix. null: no pattern.",
    )


class Sites(ListsRows, RowView):
    """Own sites; every site for reviewers and data managers."""

    @extend_schema(
        operation_id="sites_list",
        tags=["rows"],
        parameters=[fields_parameter(SiteSerializer), *PAGING],
        responses={
            **listed("SiteList", SiteSerializer),
            **problems(*READING),
        },
    )
    def get(self, request: Request) -> Response:
        """List the sites whose rows the caller sees, by code."""
        refuse_unknown(request, ("limit", "cursor", "fields"))
        user: Any = request.user
        chosen = chosen_fields(request, SiteSerializer)
        page = page_of(Site.objects.visible_to(user), request, key="code")
        return list_reply(request, page, SiteSerializer, name="sites", chosen=chosen)


class CloseRound(RowView):
    """Closes the open follow-up round of a site."""

    shows_a_row_on_file = True

    @extend_schema(
        operation_id="sites_close_round",
        tags=["rows"],
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={
            200: SiteSerializer,
            **problems(*WRITING, 404),
        },
    )
    def post(self, request: Request, code: str) -> Response:
        """Close the round: what is on file is complete up to now. For leads and data managers.

        Refused while implants in follow-up are behind (`follow-up-behind`).
        """
        refuse_unknown(request)
        _in_sight(request, code)
        return _changed(request, lambda user: intake.close_round(code, by=user))


class ImplantsFrom(RowView):
    """Says from which year on a site's implants count."""

    shows_a_row_on_file = True

    @extend_schema(
        operation_id="sites_implants_from",
        tags=["rows"],
        parameters=[IDEMPOTENCY_KEY],
        request=ImplantsFromSerializer,
        responses={
            200: SiteSerializer,
            **problems(*WRITING, 404),
        },
    )
    def post(self, request: Request, code: str) -> Response:
        """Say from which year on implants count, and declared time before. For leads, managers.

        Where nothing is said, implants count after the last year that was declared.
        """
        refuse_unknown(request)
        _in_sight(request, code)
        said = fields_of(request, "component", "year", number="year")
        return _changed(request, lambda user: intake.say_implants_from(code, **said, by=user))


class SiteKeys(RowView):
    """Declares the pattern of a site's own keys."""

    shows_a_row_on_file = True

    @extend_schema(
        operation_id="sites_key_pattern",
        tags=["rows"],
        parameters=[IDEMPOTENCY_KEY],
        request=KeyPatternSerializer,
        responses={
            200: SiteSerializer,
            **problems(*WRITING, 404),
        },
    )
    def post(self, request: Request, code: str) -> Response:
        """Declare what new keys look like. For leads, once, and data managers, who may change it.

        New keys of another form are then refused (`unlike-the-pattern`), at every door; keys on
        file and keys that the registry makes are not.
        """
        refuse_unknown(request)
        _in_sight(request, code)
        said = fields_of(request, "key_prefix", "key_digits", number="key_digits")
        return _changed(request, lambda user: intake.declare_key_pattern(code, **said, by=user))


def _in_sight(request: Request, code: str) -> None:
    """Raises UnknownRow for a site that the caller does not see."""
    user: Any = request.user
    if not Site.objects.visible_to(user).filter(code=code).exists():
        raise UnknownRow(Fault("", "not-found", "There is no such site among yours."))


def _changed(request: Request, verb: Callable[[Any], Site]) -> Response:
    """Changes a site by intake's verb, once for a key."""
    user: Any = request.user

    def write() -> WrittenReply:
        return WrittenReply(200, dict(SiteSerializer(verb(user)).data))

    return answered_once(request, write)
