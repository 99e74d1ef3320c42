"""The catalogue of complications: definitions, codes, sources and published rates."""

import re
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.api.described import OPEN, UNKNOWN_CODE, listing, problems
from registry.api.pagination import page_of
from registry.api.parameters import PAGING, refuse_unknown
from registry.filters.catalogue import LONGEST_SEARCH, every_complication, ranked, search
from registry.filters.codes import codes_of, nearest
from registry.models import Category, Complication, ImdrfCode, PublishedRate, Synonym
from registry.records import BadQuery, Fault, UnknownRow
from registry.vocabulary import (
    ImdrfRelation,
    ImdrfRole,
    StudiedAges,
    TermLanguage,
    Therapy,
)

NO_CONTROL = r"^[^\x00-\x1f]*$"
"""The form of text without control characters."""


class PublishedRateSerializer(serializers.Serializer[PublishedRate]):
    """One rate as published; null or empty where the source does not give a value."""

    id = serializers.CharField(source="rate_id")
    metric = serializers.CharField()
    measure_type = serializers.CharField()
    numerator = serializers.DecimalField(
        max_digits=None, decimal_places=None, coerce_to_string=False, allow_null=True
    )
    denominator = serializers.DecimalField(
        max_digits=None, decimal_places=None, coerce_to_string=False, allow_null=True
    )
    unit = serializers.CharField(allow_blank=True)
    reported_rate = serializers.CharField(allow_blank=True)
    ci95 = serializers.CharField(allow_blank=True)
    population = serializers.CharField(allow_blank=True)
    age_group = serializers.ChoiceField(choices=StudiedAges.choices(), allow_blank=True)
    therapy = serializers.ChoiceField(choices=Therapy.choices(), allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]
    confidence = serializers.CharField()
    note = serializers.CharField(allow_blank=True)


class ImdrfSerializer(serializers.Serializer[Any]):
    """Codes of the IMDRF adverse event terminology: annex A device problem, annex E clinical."""

    annex_a = serializers.ListField(child=serializers.CharField())
    annex_e = serializers.ListField(child=serializers.CharField())


class ImdrfCodeSerializer(serializers.Serializer[ImdrfCode]):
    """A term of the IMDRF terminologies, and whether it is broader or narrower than ours."""

    annex = serializers.ChoiceField(choices=("A", "E"))
    code = serializers.CharField()
    term = serializers.CharField()
    relation = serializers.ChoiceField(choices=ImdrfRelation.choices())
    role = serializers.ChoiceField(choices=ImdrfRole.choices())


class SynonymSerializer(serializers.Serializer[Synonym]):
    """Another name, in one language."""

    language = serializers.ChoiceField(choices=TermLanguage.choices())
    term = serializers.CharField()


class ComplicationSerializer(serializers.Serializer[Complication]):
    """One complication; `evidence` says how well its sources were read."""

    code = serializers.CharField()
    name = serializers.CharField()
    category = serializers.CharField(source="category_id")
    definition = serializers.CharField()
    synonyms = serializers.ListField(child=serializers.CharField(), source="synonym_list")
    origin = serializers.CharField()
    clock = serializers.CharField(allow_blank=True)
    natural_denominator = serializers.CharField(allow_blank=True)
    in_totals = serializers.BooleanField()
    imdrf = serializers.SerializerMethodField()
    imdrf_codes = ImdrfCodeSerializer(many=True, source="shown_imdrf_codes")
    names_elsewhere = SynonymSerializer(many=True, source="shown_names")
    citations = serializers.ListField(child=serializers.CharField(), source="citation_list")
    evidence = serializers.CharField()
    core_group = serializers.CharField(allow_blank=True)
    retired = serializers.BooleanField()
    replaced_by = serializers.CharField(source="replaced_by_id", allow_null=True)
    published_rates = PublishedRateSerializer(many=True, source="shown_rates")

    def get_imdrf(self, complication: Complication) -> ImdrfSerializer:
        """The IMDRF codes as lists."""
        return {  # type: ignore[return-value]
            "annex_a": _codes(complication.imdrf_annex_a),
            "annex_e": _codes(complication.imdrf_annex_e),
        }


class CategorySerializer(serializers.Serializer[Category]):
    """One category of complications, with the rates published for it as a whole."""

    code = serializers.CharField()
    name = serializers.CharField()
    definition = serializers.CharField()
    natural_denominator = serializers.CharField()
    published_rates = PublishedRateSerializer(many=True, source="shown_rates")


def _codes(text: str) -> list[str]:
    return [code for code in re.split(r"[;,|\s]+", text) if code]


def _with_rates(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Fetches the published rates to show: one more query for any number of rows."""
    shown = PublishedRate.objects.filter(shown=True).order_by("rate_id")
    return queryset.prefetch_related(Prefetch("published_rates", shown, to_attr="shown_rates"))


def _with_terms(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Also fetches names in other languages and terminologies: three more queries in all."""
    names = Synonym.objects.filter(shown=True)
    codes = ImdrfCode.objects.filter(shown=True)
    return _with_rates(queryset).prefetch_related(
        Prefetch("names_elsewhere", names, to_attr="shown_names"),
        Prefetch("imdrf_codes", codes, to_attr="shown_imdrf_codes"),
    )


EXAMPLE = OpenApiExample(
    "A complication",
    value={
        "code": "catheter-migration",
        "name": "Catheter migration or dislodgement",
        "category": "catheter",
        "definition": "The tip or the body of the catheter has moved.",
        "synonyms": ["catheter dislodgement"],
        "origin": "catheter",
        "clock": "catheter",
        "natural_denominator": "catheter-months",
        "in_totals": True,
        "imdrf": {"annex_a": ["A010402"], "annex_e": []},
        "imdrf_codes": [
            {
                "annex": "A",
                "code": "A010402",
                "term": "Migration",
                "relation": "exact",
                "role": "primary",
            }
        ],
        "names_elsewhere": [{"language": "de", "term": "Katheterdislokation"}],
        "citations": ["Taira T, et al. Neuromodulation 2013;16:266-272."],
        "evidence": "abstract",
        "core_group": "",
        "retired": False,
        "replaced_by": None,
        "published_rates": [],
    },
    response_only=True,
)


class Complications(APIView):
    """The complications of the catalogue."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="complications_list",
        tags=["catalogue"],
        parameters=[
            OpenApiParameter(
                "q",
                {"type": "string", "maxLength": LONGEST_SEARCH, "pattern": NO_CONTROL},
                description="Words as they are typed: a name or another one in English, German, "
                "French or Dutch, with slips, or an IMDRF code. The best match comes first.",
            ),
            OpenApiParameter("category", str, description="Category codes, comma-separated."),
            *PAGING,
        ],
        responses={
            200: listing(
                "ComplicationList",
                ComplicationSerializer,
                nearest=serializers.BooleanField(
                    help_text="True where nothing fits `q`: the results are only the nearest."
                ),
            ),
            **problems(*OPEN),
        },
        examples=[UNKNOWN_CODE],
    )
    def get(self, request: Request) -> Response:
        """List the complications by code, or by how well they fit `q`; open to all.

        Retired ones are included.
        """
        refuse_unknown(request, ("q", "category", "limit", "cursor"))
        rows = _with_terms(every_complication())
        if categories := _categories(request.query_params.get("category", "")):
            rows = rows.filter(category__in=categories)
        words = _words(request.query_params.get("q", ""))
        if not words.strip():
            page = page_of(rows, request, key="code")
            return Response({**page.body(ComplicationSerializer), "nearest": False})
        within = rows.values_list("code", flat=True) if categories else None
        found = search(words, within=within)
        page = page_of(ranked(rows, found), request, key="code", order_by="rank")
        return Response({**page.body(ComplicationSerializer), "nearest": found.nearest})


def _words(text: str) -> str:
    """The words to search for; raises BadQuery for text that nothing can match."""
    if len(text) > LONGEST_SEARCH or re.search(NO_CONTROL, text) is None:
        said = f"Search for at most {LONGEST_SEARCH} characters, none of them a control character."
        raise BadQuery(Fault("q", "bad-range", said))
    return text


def _categories(text: str) -> list[str]:
    codes = [part.strip() for part in text.split(",") if part.strip()]
    known = tuple(code for code, _name in codes_of("category")) if codes else ()
    if faults := [
        Fault(
            "category",
            "unknown-code",
            f"This is not a category. The nearest is {nearest(code, known)}.",
        )
        for code in codes
        if code not in known
    ]:
        raise BadQuery(faults)
    return codes


class ComplicationDetail(APIView):
    """One complication, current or retired."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="complications_retrieve",
        tags=["catalogue"],
        parameters=[OpenApiParameter("code", OpenApiTypes.STR, OpenApiParameter.PATH)],
        responses={200: ComplicationSerializer, **problems(*OPEN, 404)},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, code: str) -> Response:
        """Show one complication with its sources and published rates; open to all."""
        refuse_unknown(request)
        found = None
        if re.fullmatch(r"[a-z0-9-]{1,40}", code):
            found = _with_terms(Complication.objects.filter(code=code)).first()
        if found is None:
            raise UnknownRow(Fault("", "not-found", "The catalogue has no such complication."))
        return Response(ComplicationSerializer(found).data)


class Categories(APIView):
    """The categories of complications."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="categories_list",
        tags=["catalogue"],
        parameters=PAGING,
        responses={
            200: listing("CategoryList", CategorySerializer),
            **problems(*OPEN),
        },
    )
    def get(self, request: Request) -> Response:
        """List the categories by code; open to all."""
        refuse_unknown(request, ("limit", "cursor"))
        page = page_of(_with_rates(Category.objects.all()), request, key="code")
        return Response(page.body(CategorySerializer))
