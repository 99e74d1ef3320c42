"""The registry's own addresses, and an authenticated view that does nothing, to compare with."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry_project.urls import urlpatterns as registry_urls


class Nothing(APIView):
    """Answers every signed-in caller with an empty object."""

    def get(self, request: Request) -> Response:
        """Nothing."""
        return Response({})


urlpatterns = [path("nothing/", Nothing.as_view()), *registry_urls]
