"""Rows that wait for decisions of data managers: a button, a page that asks, and the decision.

Agreements and proposed roles are decided so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from registry.admin.rows import address_of
from registry.answers.refusable import RefusableForm
from registry.models import User
from registry.records import Refusal
from registry.vocabulary import Right


class DecisionForm(RefusableForm):
    """What a decision asks; many ask nothing. row: what is decided."""

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


@dataclass(frozen=True, slots=True)
class Decide:
    """One decision: its button, what a row is afterwards, its verb, and the page that asks."""

    name: str
    label: str
    done: str
    verb: Callable[..., Any]
    note: str
    form: type[DecisionForm] = DecisionForm


def by_name(*decisions: Decide) -> Mapping[str, Decide]:
    """Decisions by their names, in the order of their buttons."""
    return {each.name: each for each in decisions}


def today() -> date:
    """Today, in UTC."""
    return timezone.now().date()


class StandingFilter(admin.SimpleListFilter):
    """Rows by where they stand today: by `of_today`, or else by the decision of that name."""

    title = "standing"
    parameter_name = "standing"

    def of_today(self, rows: Any, *, by: Any) -> Mapping[str, Callable[[], QuerySet[Any]]]:
        """The rows of each standing that is more than a decision."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the standing that was chosen."""
        value = self.value()
        if value is None:
            return queryset
        chosen = self.of_today(queryset, by=request.user)
        return chosen[value]() if value in chosen else queryset.filter(decision=value)


class DecidedRows:
    """The part of an admin whose rows are decided: mixed into a list of them.

    decisions: all of them. noun: what a row is called in the context of the page that asks, whose
    template is `admin/registry/<model>/decide.html`.
    """

    decisions: Mapping[str, Decide]
    noun: str
    admin_site: Any
    opts: Any
    get_object: Callable[..., Any]
    message_user: Callable[..., None]

    def open_to(self, row: Any, *, by: Any) -> Any:
        """The names of the decisions that are open to a person."""
        raise NotImplementedError

    def title_of(self, row: Any) -> str:
        """A row as the title of the page that asks names it."""
        return str(row)

    def told(self, stored: Any, decide: Decide) -> str:
        """What is told after a decision."""
        raise NotImplementedError

    def asked_about(self, row: Any) -> Mapping[str, Any]:
        """What the page that asks has besides the row."""
        return {}

    def get_urls(self) -> list[Any]:
        """Add the addresses at which decisions are asked about and taken."""
        own = [
            path(
                f"<uuid:public_id>/{name}/",
                self.admin_site.admin_view(partial(self.decide, decide=decide)),
                name=f"registry_{self.opts.model_name}_{name}",
            )
            for name, decide in self.decisions.items()
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    @admin.display(description="Standing")
    def standing(self, row: Any) -> str:
        """Where it stands today."""
        said: str = row.standing(today())
        return said

    def offered(self, row: Any, *, by: Any) -> list[Decide]:
        """The decisions that are open to a person, as buttons above the row."""
        names = self.open_to(row, by=by)
        return [decide for name, decide in self.decisions.items() if name in names]

    def decide(self, request: HttpRequest, public_id: UUID, *, decide: Decide) -> HttpResponse:
        """Ask what a decision needs, or take it; intake says what it refuses."""
        user: User = request.user  # type: ignore[assignment]
        if not user.may(Right.RUN_REGISTRY):
            raise PermissionDenied
        row: Model = self.get_object(request, str(public_id))
        taking = request.method == "POST"
        form = decide.form(request.POST if taking else None, row=row)
        if taking and form.is_valid():
            try:
                stored = decide.verb(public_id, by=user, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                self.message_user(request, self.told(stored, decide), messages.SUCCESS)
                return HttpResponseRedirect(address_of(stored))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{decide.label}: {self.title_of(row)}",
            "decide": decide,
            "form": form,
            self.noun: row,
            "standing": self.standing(row),
            "back": address_of(row),
            "opts": self.opts,
            **self.asked_about(row),
        }
        template = f"admin/registry/{self.opts.model_name}/decide.html"
        return TemplateResponse(request, template, context)
