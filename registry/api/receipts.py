"""The answer of a receipt, again."""

from hashlib import sha256

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from registry import reporting
from registry.answers.pictures import FORMATS
from registry.api.answer_bodies import AnswerSerializer
from registry.api.described import READING, problems
from registry.api.parameters import refuse_unknown
from registry.api.permissions import viewer_in
from registry.api.statistics import PICTURES, AnswerView, released
from registry.models import Citation


class ReceiptDetail(AnswerView):
    """A cited answer in every format that answers have."""

    @extend_schema(
        operation_id="statistics_receipt",
        tags=["statistics"],
        summary="Repeat the answer of a receipt, from the same data.",
        description=(
            "A receipt is `meta.receipt` of an answer. The reply is that answer to the byte for as "
            "long as the release is kept and the registry's code is of the same version. A receipt "
            "of exact numbers works for callers who may ask for them; for others it is 404, like "
            "an altered one. A receipt of a working snapshot that has been replaced is 410. Where "
            'the answer has a permanent page, `Link: <...>; rel="cite-as"` (RFC 8574) names it; '
            "`/cite/` makes one of a receipt."
        ),
        parameters=[
            OpenApiParameter("receipt", str, OpenApiParameter.PATH, description="The signed token.")
        ],
        responses={
            (200, "application/json"): AnswerSerializer,
            (200, "text/csv"): str,
            **PICTURES,
            304: None,
            **problems(*READING, 404, 409, 410, 503),
        },
    )
    def get(self, request: Request, receipt: str) -> Response:
        """Repeats the answer of a receipt."""
        refuse_unknown(request)
        viewer = viewer_in(request)
        drawn = request.accepted_renderer.format in FORMATS
        release = reporting.answer_again(receipt, viewer=viewer, in_words=drawn)
        response = released(request, release, viewer=viewer)
        digest = sha256(receipt.encode()).hexdigest()
        if kept := Citation.objects.filter(receipt_digest=digest).first():
            address = request.build_absolute_uri(reverse("citation", args=[kept.code]))
            response["Link"] = f'<{address}>; rel="cite-as"'
        return response
