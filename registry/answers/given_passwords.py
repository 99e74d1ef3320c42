"""A password that somebody else set is changed by its owner before anything else is done."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from registry.answers.by_provider import signed_in_by_provider
from registry.answers.detours import Detour


class ChangeGivenPassword(Detour):
    """Leads an account with a password from a data manager to the page that changes it."""

    def is_needed(self, request: HttpRequest) -> bool:
        """Not where no password was used."""
        given = getattr(request.user, "must_change_password", False)
        return bool(given) and not signed_in_by_provider(request)

    def elsewhere(self, request: HttpRequest) -> HttpResponse:
        """The page of the password."""
        return HttpResponseRedirect(reverse("password"))
