"""Answers on their way: the forms of rows keep what is typed, and offer it when one comes back."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, path, resolve, reverse

from registry.admin.answers import ReportForm
from registry.admin.once import FORM_TOKEN, was_stored
from registry.admin.rows import RegistryAdmin
from registry.answers.kept import is_form_of_a_row
from registry.answers.unsaved import Sent, forget_unsaved, keep_unsaved, mark_of, unsaved_at
from registry.models import User

AT, DISCARD = "_at", "_discard"
"""What the page sends beside the answers: the address of its form; a form whose answers go."""

_A_TOKEN = re.compile(r"[A-Za-z0-9]{1,64}")


class AutosavePages(RegistryAdmin):
    """Rows whose form sends its answers as they are typed, to come back to."""

    def get_urls(self) -> list[Any]:
        """Adds the address that takes answers on their way."""
        view = self.admin_site.admin_view(self.autosave)
        return [path("autosave/", view, name=self._autosave_page), *super().get_urls()]

    @property
    def _autosave_page(self) -> str:
        return f"registry_{self.opts.model_name}_autosave"

    def autosave(self, request: HttpRequest) -> HttpResponse:
        """Keeps the answers of a form for their person; 404 for a form that the user cannot save.

        Nothing is stored in the registry, and nothing that is no answer is kept.
        """
        if request.method != "POST":
            raise Http404
        if DISCARD in request.POST:
            forget_unsaved(request, request.POST[DISCARD])
            return HttpResponse(status=204)
        address = request.POST.get(AT, "")
        sent = self._sent_at(request, address)
        if not was_stored(request.user, own_token(request)):
            self.keep_answers(request, sent, address=address)
        return HttpResponse(status=204)

    def keep_refused(self, request: HttpRequest) -> None:
        """Keeps the answers of a form that was sent and could not be taken.

        Of somebody who is not signed in the form is that of nobody's site: of its choices of rows
        those are kept that have the form of one.
        """
        made = self.get_form(request, None, change=False)
        made.user = request.user if request.user.is_authenticated else User(is_active=False)
        sent = made(request.POST).answered_so_far()
        self.keep_answers(request, sent, address=address_of_form(request))

    def keep_answers(self, request: HttpRequest, sent: Sent, *, address: str) -> None:
        """Keeps answers that were read as such, of the form at an address; nothing where none."""
        if not sent:
            return
        own = own_token(request)
        kept = [*sent, (FORM_TOKEN, [own])] if own else sent
        token = own or mark_of(address)
        keep_unsaved(request, token=token, address=address, sent=kept)

    def _sent_at(self, request: HttpRequest, address: str) -> Sent:
        try:
            match = resolve(address.partition("?")[0])
        except Resolver404:
            raise Http404 from None
        if not str(match.url_name).startswith(f"registry_{self.opts.model_name}_"):
            raise Http404
        if is_form_of_a_row(match):
            return self._form_at(request, match).answered_so_far()
        return self.sent_beside(request, match)

    def sent_beside(self, request: HttpRequest, match: ResolverMatch) -> Sent:
        """What was sent and reads as an answer of a form beside the rows' own; 404 for others."""
        raise Http404

    def _form_at(self, request: HttpRequest, match: ResolverMatch) -> ReportForm:
        key = match.kwargs.get("object_id")
        row = self.get_object(request, key) if key is not None else None
        may = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if not may:
            raise Http404
        made = self.get_form(request, row, change=row is not None)
        form: ReportForm = made(request.POST, instance=row)
        return form

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """The form, with the address that keeps its answers, and those that were left unsaved."""
        if isinstance(context["adminform"].form, ReportForm):
            context = {**context, **self.autosaving(request, at=address_of_form(request))}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def autosaving(self, request: HttpRequest, *, at: str) -> dict[str, Any]:
        """What a page needs to send its answers, and those that were left unsaved at an address."""
        here = request.get_full_path()
        is_new = request.method == "GET"
        return {
            "autosave": reverse(f"admin:{self._autosave_page}"),
            "autosave_at": at,
            "here": here,
            "unsaved": unsaved_at(request, at, back_to=here) if is_new else None,
        }

    def forget_answers(self, request: HttpRequest) -> None:
        """Forgets the answers of a form that was saved."""
        forget_unsaved(request, token_of(request))


def address_of_form(request: HttpRequest) -> str:
    """The address of an empty form with what it begins with; of a stored row's form the path."""
    return request.get_full_path() if request.path.endswith("/add/") else request.path


def own_token(request: HttpRequest) -> str:
    """The token of an empty form; an empty text where none of the kind was sent."""
    sent = request.POST.get(FORM_TOKEN, "")
    return sent if _A_TOKEN.fullmatch(sent) else ""


def token_of(request: HttpRequest) -> str:
    """What tells one open form from another: its own token, else the mark of its address."""
    at = request.POST.get(AT) or address_of_form(request)
    return own_token(request) or mark_of(at)
