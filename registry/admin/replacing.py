"""The page that replaces a component: one implant ends and the next begins, in one step."""

from copy import deepcopy
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import ResolverMatch, path
from django.utils.html import format_html

from registry import intake
from registry.admin.answers import answers_read, as_text
from registry.admin.device_forms import ImplantForm
from registry.admin.implant_sections import AT_IMPLANT, DRUG, ENDED, OF_A_PUMP
from registry.admin.naming import label_of
from registry.admin.rows import CHANGED_SINCE, address_of, back_in_form, was_kept
from registry.admin.site_rows import SiteRowsAdmin
from registry.admin.system_form import MODELS
from registry.answers.kept import KEPT
from registry.answers.refusable import RefusableForm
from registry.answers.unsaved import Sent
from registry.intake.systems import REPLACED
from registry.models import Implant
from registry.models.exposure import IN_FOLLOW_UP
from registry.records import RawReport, Refusal, RowKind, VersionConflict
from registry.vocabulary import Component

SUCCESSOR = ("implant", "model", *AT_IMPLANT, *DRUG, "months_followed")


class ReplaceForm(RefusableForm):
    """How the old component ended, and all data of the new one, without any copied from the old."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, implant: Implant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        part = Component.of(implant.component)
        questions: Any = ImplantForm.base_fields
        for name in ENDED:
            self.fields[f"ended_{name}"] = deepcopy(questions[name])
        ended: Any = self.fields["ended_exit_status"]
        ended.choices = [(str(code), code.label) for code in REPLACED]
        ended.widget = forms.RadioSelect(attrs={"class": "options"}, choices=ended.choices)
        ended.required = True
        columns = (*SUCCESSOR, *(OF_A_PUMP if part is Component.PUMP else ()))
        for name in columns:
            self.fields[name] = deepcopy(questions[name])
        model: Any = self.fields["model"]
        model.choices = [("", "Not recorded"), *MODELS[part].choices()]
        self.fields["ended_months_followed"].help_text = "Whole months since it was implanted."
        self.fields["implant"].label = f"New {part.label.lower()}'s key"

    def ended(self) -> list[forms.BoundField]:
        """The questions about the component that was taken out."""
        return [self[f"ended_{name}"] for name in ENDED]

    def begun(self) -> list[forms.BoundField]:
        """The questions about the component that took its place."""
        return [self[name] for name in self.fields if name[:6] not in ("ended_", "versio")]

    def answered_so_far(self, site: str) -> Sent:
        """What was sent and reads as an answer, by field; never what identifies."""
        return answers_read(
            self, RowKind.IMPLANT, site=site, column_of=lambda name: name.removeprefix("ended_")
        )

    def ending(self) -> dict[str, str]:
        """The old one's end for intake; empty fields keep the stored values."""
        texts = {name: as_text(self.cleaned_data[f"ended_{name}"]) for name in ENDED}
        return {name: text for name, text in texts.items() if text}

    def successor(self) -> RawReport:
        """The new one for intake."""
        texts = {field.name: as_text(self.cleaned_data[field.name]) for field in self.begun()}
        return RawReport(RowKind.IMPLANT, texts)


class ReplacePages(SiteRowsAdmin):
    """Implants, with the page that replaces one."""

    def get_urls(self) -> list[Any]:
        """Adds the address of the page."""
        view = self.admin_site.admin_view(self.replace)
        address = path("<path:object_id>/replace/", view, name="registry_implant_replace")
        return [address, *super().get_urls()]

    def beside(self, request: HttpRequest, row: Implant) -> dict[str, Any]:
        """Whether the user can replace the implant."""
        may = row.exit_status in IN_FOLLOW_UP and self.has_change_permission(request, row)
        return {**super().beside(request, row), "may_be_replaced": may}

    def sent_beside(self, request: HttpRequest, match: ResolverMatch) -> Sent:
        """Adds the answers to the page that replaces an implant which the user may replace."""
        if match.url_name != "registry_implant_replace":
            return super().sent_beside(request, match)
        implant: Any = self.get_object(request, match.kwargs["object_id"])
        if not self.has_change_permission(request, implant):
            raise Http404
        return ReplaceForm(request.POST, implant=implant).answered_so_far(implant.site.code)

    def replace(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks how the implant ended and what replaced it; stores both under one seal."""
        implant: Any = self.get_object(request, object_id)
        if not self.has_change_permission(request, implant):
            raise PermissionDenied
        if implant.exit_status not in IN_FOLLOW_UP:
            message = "Its follow-up has ended already: enter the next one as a new implant."
            self.message_user(request, message, messages.WARNING)
            return HttpResponseRedirect(address_of(implant))
        if KEPT in request.POST and not back_in_form(request):
            return HttpResponseRedirect(request.get_full_path())
        sent: QueryDict | None = request.POST if request.method == "POST" else None
        if sent is not None and was_kept(request):
            sent = at_version(sent, implant)
        form = ReplaceForm(sent, implant=implant, initial={"version": implant.version})
        if not was_kept(request) and form.is_valid():
            by: Any = request.user
            version = form.cleaned_data["version"]
            try:
                new = intake.replace_implant(
                    implant.public_id, form.ending(), form.successor(), by=by, version=version
                )
            except VersionConflict:
                form = ReplaceForm(at_version(request.POST, implant), implant=implant)
                form.add_error(None, CHANGED_SINCE)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                message = format_html(
                    "{} is replaced by <a href='{}'>{}</a>. The patient's other component"
                    " was not changed.",
                    label_of(implant),
                    address_of(new),
                    label_of(new),
                )
                self.forget_answers(request)
                self.message_user(request, message, messages.SUCCESS)
                return HttpResponseRedirect(address_of(implant.patient))
        self.log_look(request, f"{implant.public_id} replace", 1)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Replace {label_of(implant)}",
            "opts": self.opts,
            "implant": implant,
            "form": form,
            "back": address_of(implant),
            **self.autosaving(request, at=request.path),
        }
        return TemplateResponse(request, "admin/registry/implant/replace.html", context)


def at_version(sent: QueryDict, implant: Implant) -> QueryDict:
    """The answers on top of the implant as the page shows it now."""
    answers = sent.copy()
    answers["version"] = str(implant.version)
    return answers
