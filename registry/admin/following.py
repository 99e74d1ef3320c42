"""Follow-up of a site's implants in bulk: a page of implants, a preview, one seal."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import ResolverMatch, path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from registry import intake
from registry.admin.answers import open_sites
from registry.admin.followed_so_far import followed_so_far, lines_named, versions_in
from registry.admin.paging import KeyPaginator
from registry.admin.rows import back_in_form, was_kept
from registry.admin.site_rows import SiteRowsAdmin, open_site_keys
from registry.answers.kept import KEPT
from registry.answers.refusable import sentence
from registry.answers.unsaved import Sent, forget_unsaved, mark_of
from registry.models import Implant, Site
from registry.models.exposure import MONTHS_NOT_KNOWN
from registry.records import Refusal
from registry.vocabulary import Component, ExitStatus

PAGE = 500
"""The number of implants on a page."""

ENDS = [(str(code), words) for code, words in ExitStatus.choices() if code != ExitStatus.ACTIVE]

ORDER = ("patient__source_id", "component", "implant_year", "source_id")

REACHED, FURTHER, PASSED = "reached", "further", "passed"


class NarrowForm(forms.Form):
    """Which implants of the site the page lists."""

    site = forms.ChoiceField(label="Site", required=False)
    component = forms.ChoiceField(
        label="Component", choices=[("", "Both"), *Component.choices()], required=False
    )
    year = forms.IntegerField(
        label="Year of implant",
        required=False,
        min_value=1980,
        max_value=2100,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 6}),
    )
    behind = forms.BooleanField(label="Only those certainly behind", required=False)

    def __init__(self, params: Mapping[str, Any], codes: list[str]) -> None:
        super().__init__(params)
        sites: Any = self.fields["site"]
        sites.choices = [("", "Choose a site"), *((code, code) for code in codes)]
        if len(codes) == 1:
            del self.fields["site"]

    def narrowed(self, rows: Any) -> QuerySet[Implant]:
        """The implants in follow-up that match; ignores invalid filters."""
        self.is_valid()
        rows = rows.in_follow_up()
        if component := self.cleaned_data.get("component"):
            rows = rows.filter(component=component)
        if year := self.cleaned_data.get("year"):
            rows = rows.filter(implant_year=year)
        if self.cleaned_data.get("behind"):
            today = timezone.now()
            rows = rows.behind(year=today.year, month=today.month)
        found: QuerySet[Implant] = rows
        return found


class TickedForm(forms.Form):
    """The answer for every ticked implant without one of its own."""

    rule = forms.ChoiceField(
        label="Every implant that is ticked is still active",
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (REACHED, "at so many months since its implant:"),
            (FURTHER, "and so many months have passed since the month on file:"),
            (
                PASSED,
                "today: use the months that have certainly passed, the first number under “by now”",
            ),
        ],
    )
    months = forms.CharField(
        label="Months",
        required=False,
        max_length=5,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 6}),
    )

    def clean(self) -> dict[str, Any]:
        """A number of months, required by some rules."""
        cleaned = super().clean() or {}
        months = (cleaned.get("months") or "").strip()
        if cleaned.get("rule") in {REACHED, FURTHER} and not (
            months.isascii() and months.isdigit() and len(months) <= 4
        ):
            self.add_error("months", "Give whole months, 0 to 1200.")
        return cleaned

    def now(self, line: "Line") -> int | None:
        """The months since implant of a ticked line; None where the form does not give them."""
        rule = self.cleaned_data.get("rule")
        if not rule:
            self.unsaid()
        if rule == PASSED:
            return line.least
        if self.errors:
            return None
        months = int(self.cleaned_data["months"])
        return int(line.implant.months_followed) + months if rule == FURTHER else months

    def unsaid(self) -> None:
        """Requires the months of the ticked implants, in one error."""
        if "rule" not in self.errors:
            self.add_error("rule", "Give the months for which the ticked implants were followed.")


@dataclass
class Line:
    """One implant on the page: the months on file, those that can have passed, and the answers."""

    implant: Any
    least: int
    most: int
    ticked: bool = False
    months: str = ""
    ended: str = ""
    faults: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, implant: Any) -> "Line":
        """The line of an implant as of today."""
        today = timezone.now()
        passed = months_passed(implant.implant_year, year=today.year, month=today.month)
        return cls(implant, *passed)

    @property
    def key(self) -> str:
        """The implant by its public id."""
        return str(self.implant.public_id)

    @property
    def is_behind(self) -> bool:
        """Whether more months have certainly passed than are on file."""
        return bool(self.implant.months_followed < self.least)

    @property
    def model(self) -> str:
        """The model of the component, in words."""
        return self.implant.get_pump_model_display() or self.implant.get_catheter_model_display()

    @property
    def options(self) -> SafeString:
        """The reasons for an end, as options."""
        return options_of(self.ended) if self.ended else NOT_ENDED

    def answer(self, sent: QueryDict) -> None:
        """Reads the answers of this line from the submitted form."""
        self.ticked = self.key in sent.getlist("tick")
        self.months = sent.get(f"months-{self.key}", "").strip()
        self.ended = sent.get(f"ended-{self.key}", "")

    def follow_up(
        self, sent: QueryDict, ticked: TickedForm, versions: Mapping[UUID, int]
    ) -> intake.FollowUp | None:
        """The follow-up in this line; None where it has nothing new."""
        self.answer(sent)
        months = self.months
        if self.ended and not months:
            mend = "Give the months at which it ended, or those on file if you know no later ones."
            self.faults.append(mend)
        if self.ticked and not months and not self.ended:
            now = ticked.now(self)
            if now is not None and now > self.implant.months_followed:
                months = str(now)
            elif now is not None and not self.implant.exit_status:
                months = str(self.implant.months_followed)
        if not months:
            return None
        key = self.implant.public_id
        ended = self.ended or ExitStatus.ACTIVE.value
        return intake.FollowUp(key, months, ended, versions.get(key))


class FollowUpPages(SiteRowsAdmin):
    """Implants with the page that follows many of them up in one step."""

    def get_urls(self) -> list[Any]:
        """Adds the address of the page."""
        view = self.admin_site.admin_view(self.follow_up)
        return [path("follow-up/", view, name="registry_implant_follow_up"), *super().get_urls()]

    def follow_up(self, request: HttpRequest) -> HttpResponse:
        """The implants in follow-up of one site; submitted answers are previewed, then stored."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        codes = list(open_sites(request.user).values_list("code", flat=True))
        narrow = NarrowForm(request.GET, codes)
        site = chosen_site(request, codes)
        if site is None:
            return self._page(request, "follow_up", narrow=narrow)
        if KEPT in request.POST and not back_in_form(request):
            return HttpResponseRedirect(request.get_full_path())
        step = request.POST.get("do") if request.method == "POST" else None
        if step == "close" and not was_kept(request):
            return self._closed(request, site)
        rows = self.get_queryset(request).filter(**of_site(site)).select_related("patient")
        if step in {"look", "save"}:
            saving = step == "save" and not was_kept(request)
            return self._answered(request, rows, narrow, saving=saving)
        asked = request.GET.get("page", "")
        number = int(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 1
        narrowed = narrow.narrowed(rows.order_by(*ORDER))
        page = KeyPaginator(narrowed, PAGE, page_number=number).get_page(number)
        lines = [Line.of(row) for row in page.object_list]
        for line in lines:
            line.answer(request.POST)
            line.ticked |= "all" in request.GET
        said = {name: request.POST.get(name) for name in TickedForm.base_fields}
        return self._listed(request, narrow, lines, TickedForm(initial=said), page)

    def sent_beside(self, request: HttpRequest, match: ResolverMatch) -> Sent:
        """Adds the answers to the page of follow-up, for implants that the caller may write."""
        if match.url_name != "registry_implant_follow_up":
            return super().sent_beside(request, match)
        if not self.has_add_permission(request):
            raise Http404
        return self._so_far(request)

    def _so_far(self, request: HttpRequest) -> Sent:
        """What was sent and reads as an answer. One query."""
        sites = open_site_keys(request)
        named = lines_named(request.POST)
        rows = self.get_queryset(request).filter(public_id__in=named, site__in=sites)
        known = list(rows.values_list("public_id", flat=True))
        ends, rules = dict(ENDS), (REACHED, FURTHER, PASSED)
        return followed_so_far(request.POST, known, ends=ends, rules=rules)

    def _answered(
        self, request: HttpRequest, rows: QuerySet[Implant], narrow: NarrowForm, *, saving: bool
    ) -> HttpResponse:
        """Previews the answers, or stores them; shows faults at their lines."""
        versions = versions_in(request.POST.getlist("row"))
        lines = [Line.of(row) for row in rows.filter(public_id__in=versions).order_by(*ORDER)]
        ticked = TickedForm(request.POST)
        ticked.is_valid()
        follow_ups = [
            one for line in lines if (one := line.follow_up(request.POST, ticked, versions))
        ]
        faulty = bool(ticked.errors) or any(line.faults for line in lines)
        by: Any = request.user
        try:
            followed = intake.follow_up(follow_ups, by=by, dry_run=faulty or not saving)
        except intake.FollowUpRefused as refusal:
            for line in lines:
                faults = refusal.by_row.get(line.implant.public_id, ())
                line.faults += [sentence(fault.detail) for fault in faults]
            faulty = True
        if faulty:
            return self._listed(request, narrow, lines, ticked)
        if not followed:
            nothing = "Nothing would change: tick implants that are behind, or fill in their lines."
            ticked.add_error(None, nothing)
            return self._listed(request, narrow, lines, ticked)
        added = sum(one.months_added for one in followed)
        if saving:
            forget_unsaved(request, mark_of(form_at(request)))
            stored = f"{counted(len(followed), 'implant')} followed up, {added} months added."
            self.message_user(request, stored, messages.SUCCESS)
            return HttpResponseRedirect(here(request, but=("all",)))
        self.keep_answers(request, self._so_far(request), address=form_at(request))
        self.log_look(request, "follow-up", len(followed))
        answered = {line.implant.public_id: line for line in lines}
        shown = [(answered[one.public_id], one) for one in followed]
        context = {
            "followed": shown,
            "too_long": sum(one.after.months_followed > line.most for line, one in shown),
            "added": added,
            "ended": sum(one.after.exit_status != ExitStatus.ACTIVE for one in followed),
            "left": sum(line.ticked for line in lines) - sum(line.ticked for line, _ in shown),
        }
        return self._page(request, "follow_up_look", narrow=narrow, **context)

    def _closed(self, request: HttpRequest, site: str) -> HttpResponse:
        """Closes the site's open round; says why where it stays open."""
        by: Any = request.user
        try:
            closed = intake.close_round(site, by=by)
        except Refusal as refusal:
            for fault in refusal.faults:
                self.message_user(request, sentence(fault.detail), messages.ERROR)
        else:
            done = f"Round {closed.round_number} of {closed} is closed: statistics count up to it."
            self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(here(request, but=("all",)))

    def _listed(
        self,
        request: HttpRequest,
        narrow: NarrowForm,
        lines: list[Line],
        ticked: TickedForm,
        page: Page[Any] | None = None,
    ) -> HttpResponse:
        self.log_look(request, "follow-up", len(lines))
        context = {
            "lines": lines,
            "ticked": ticked,
            "page": page,
            "all": here(request, all="1"),
            "none": here(request, but=("all",)),
            "further": here(request, but=("all",), page=str(page.number + 1)) if page else "",
            "back": here(request, but=("all",), page=str(page.number - 1)) if page else "",
            "faulty": [line for line in lines if line.faults],
            **round_of(request),
            **self.autosaving(request, at=form_at(request)),
        }
        return self._page(request, "follow_up", narrow=narrow, listed=True, **context)

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Follow-up of many implants",
            "opts": self.opts,
            **context,
            "here": here(request),
        }
        return TemplateResponse(request, f"admin/registry/implant/{name}.html", context)


def round_of(request: HttpRequest) -> dict[str, Any]:
    """The open round of the chosen site, and whether the caller may close it."""
    user: Any = request.user
    codes = list(open_sites(user).values_list("code", flat=True))
    site = Site.objects.get(code=chosen_site(request, codes))
    (standing,) = intake.standings_of([site])
    return {"round": standing, "may_close": intake.may_close(site, by=user)}


def chosen_site(request: HttpRequest, codes: list[str]) -> str | None:
    """The chosen site, None before a choice; 404 for a site that the caller may not see."""
    only = codes[0] if len(codes) == 1 else ""
    code = request.GET.get("site") or only
    if code and code not in codes:
        raise Http404
    return code or None


def of_site(code: str) -> dict[str, Any]:
    """The condition for implants of a site, by its key.

    Said of the patient too, so that an index gives the patients in the order of their keys.
    """
    keys = list(Site.objects.filter(code=code).values_list("pk", flat=True))
    return {"site__in": keys, "patient__site__in": keys}


def months_passed(implant_year: int, *, year: int, month: int) -> tuple[int, int]:
    """The fewest and the most full months from the year of implant to the given month.

    The registry keeps the year alone: an implant of its last day has passed 12 fewer full months
    than one of its first. In the year of implant itself the fewest is 0.
    """
    since = 12 * (year - implant_year) + month
    return max(0, since - MONTHS_NOT_KNOWN), max(0, since - 1)


def here(request: HttpRequest, *, but: Iterable[str] = (), **changed: str) -> str:
    """The address of this page with its filters, with these parameters changed."""
    params = {name: value for name, value in request.GET.items() if name not in but} | changed
    address = reverse("admin:registry_implant_follow_up")
    return f"{address}?{urlencode(params)}" if params else address


def form_at(request: HttpRequest) -> str:
    """The address that the answers of this page are kept by, whichever lines a link had ticked."""
    return here(request, but=("all",))


def counted(number: int, what: str) -> str:
    """`1 implant`, `2 implants`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def options_of(chosen: str) -> SafeString:
    """The reasons for an end as options; cached for the many lines without one."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        (
            (code, SafeString(" selected") if code == chosen else "", words)
            for code, words in [("", "Has not ended"), *ENDS]
        ),
    )


NOT_ENDED = options_of("")
