"""The sites that the caller works with."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.described import listing, problems
from registry.api.pagination import page_of
from registry.api.parameters import PAGING, refuse_unknown
from registry.api.rows import RowView
from registry.models import Site


class SiteSerializer(serializers.Serializer[Site]):
    """A site as its own staff see it."""

    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    country = serializers.CharField(allow_blank=True)
    active = serializers.BooleanField()


class Sites(RowView):
    """Own sites; every site for reviewers and data managers."""

    @extend_schema(
        operation_id="sites_list",
        tags=["rows"],
        parameters=PAGING,
        responses={
            200: listing("SiteList", SiteSerializer),
            **problems(400, 401, 403, 406, 429),
        },
    )
    def get(self, request: Request) -> Response:
        """List the sites whose rows the caller sees, by code."""
        refuse_unknown(request, ("limit", "cursor"))
        user: Any = request.user
        page = page_of(Site.objects.visible_to(user), request, key="code")
        return Response(page.body(SiteSerializer))
