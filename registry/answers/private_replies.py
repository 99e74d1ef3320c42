"""Replies to somebody who signed in are kept by no cache: on a shared computer others come next."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers


class PrivateReplies:
    """Gives a reply that is somebody's own a Cache-Control, where the view has set none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Asks the view, then the reply."""
        response = self.get_response(request)
        session = settings.SESSION_COOKIE_NAME
        is_own = session in request.COOKIES or session in response.cookies
        if (is_own or "Authorization" in request.headers) and "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response
