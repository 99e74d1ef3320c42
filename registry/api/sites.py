"""The sites that the caller works with."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.described import READING, WRITING, problems
from registry.api.idempotency import WrittenReply, answered_once
from registry.api.lists import ListsRows, chosen_fields, fields_parameter, list_reply, listed
from registry.api.pagination import page_of
from registry.api.parameters import PAGING, refuse_unknown
from registry.api.rows import IDEMPOTENCY_KEY, RowView
from registry.models import Site
from registry.records import Fault, UnknownRow


class SiteSerializer(serializers.Serializer[Site]):
    """A site as its own staff see it."""

    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    country = serializers.CharField(allow_blank=True)
    active = serializers.BooleanField()
    round_number = serializers.IntegerField(
        allow_null=True, help_text="The last closed follow-up round; null before the first."
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
        user: Any = request.user
        if not Site.objects.visible_to(user).filter(code=code).exists():
            raise UnknownRow(Fault("", "not-found", "There is no such site among yours."))

        def write() -> WrittenReply:
            site = intake.close_round(code, by=user)
            return WrittenReply(200, dict(SiteSerializer(site).data))

        return answered_once(request, write)
