"""Files of rows uploaded by form: checked, then stored all or nothing; files are not kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from registry import intake
from registry.answers.refusable import sentence
from registry.records import Fault, Refusal, RowKind
from registry.records.columns import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from registry.vocabulary import Right

MOST_BYTES = 5_000_000
"""The most bytes of one upload: about 50,000 rows, stored within half a minute."""

CHECKED_FOR = 3600
"""Seconds after a check in which the same files may be stored."""

_SALT = "registry.admin.upload"


class MemoryOnly(FileUploadHandler):
    """Keeps uploads in memory, never on disk; stops at the size limit."""

    chunk_size = 1 << 16

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.size = 0
        self.too_large = False
        self.held = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begins another file."""
        super().new_file(*args, **kwargs)
        self.held = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Adds to the file; stops where all files together are too large."""
        self.size += len(raw_data)
        if self.size > MOST_BYTES:
            self.too_large = True
            self.held = BytesIO()
            raise StopUpload(connection_reset=False)
        self.held.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """The file without its name, which may name a patient."""
        self.held.seek(0)
        return InMemoryUploadedFile(
            self.held, self.field_name, "file.csv", self.content_type, file_size, None
        )


class UploadForm(forms.Form):
    """A file for each kind of row, at least one of them."""

    implants = forms.FileField(label="Implants", required=False, allow_empty_file=True)
    exposures = forms.FileField(
        label="Declared device time",
        required=False,
        allow_empty_file=True,
        help_text="For sites that do not send implants; sent by leads and data managers.",
    )
    events = forms.FileField(label="Events", required=False, allow_empty_file=True)
    accept = forms.BooleanField(
        label="Accept the events at once",
        required=False,
        help_text="Otherwise they are submitted and wait for review.",
    )

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        if not by.may(Right.RUN_REGISTRY):
            del self.fields["accept"]
        for kind in RowKind:
            self.fields[kind.value].widget.attrs["accept"] = ".csv,text/csv"

    def clean(self) -> dict[str, Any]:
        """Requires at least one file."""
        cleaned = super().clean() or {}
        if not any(cleaned.get(kind.value) is not None for kind in RowKind):
            raise forms.ValidationError("Choose a file.", code="required")
        return cleaned

    def contents(self) -> dict[RowKind, bytes]:
        """The files, by kind."""
        sent = {kind: self.cleaned_data.get(kind.value) for kind in RowKind}
        return {kind: file.read() for kind, file in sent.items() if file is not None}


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking files: faults, or how many rows would be stored.

    lines: a line for each kind. token: allows exactly these files to be stored. total: the number
    of faults, including those not listed.
    """

    lines: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    total: int = 0
    token: str = ""

    @property
    def listed(self) -> list[tuple[str, int | str, str, str]]:
        """Each fault as file, line, column and sentence, without the refused value."""
        return [
            (fault.file or "", fault.line or "", fault.column, sentence(fault.detail))
            for fault in self.faults
        ]


@csrf_exempt  # until the upload handler keeps the files off the disk: see below
def upload_page(request: HttpRequest) -> HttpResponse:
    """Checks files of rows and stores them, for members of sites and data managers.

    The upload handler must be set before the form's CSRF token is read.
    """
    handler = MemoryOnly(request)
    request.upload_handlers = [handler]
    return _protected(request, handler)


@csrf_protect
def _protected(request: HttpRequest, handler: MemoryOnly) -> HttpResponse:
    user: Any = request.user
    if not (user.may(Right.ENTER_ROWS)):
        raise PermissionDenied
    checked: Checked | None = None
    form = UploadForm(by=user)
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES, by=user)
        if handler.too_large:
            form.add_error(None, too_large())
        elif form.is_valid():
            checked = _check_or_store(request, form.contents())
            if checked is None:
                return HttpResponseRedirect(reverse("upload"))
    context = {
        **admin.site.each_context(request),
        "title": "Upload files",
        "form": form,
        "checked": checked,
        "most": f"{MOST_BYTES // 1_000_000} MB",
        "columns": [(kind.value, *columns_of(kind)) for kind in RowKind],
    }
    status = 200 if checked is None or not checked.faults else 422
    return TemplateResponse(request, "admin/registry/upload.html", context, status=status)


def _check_or_store(request: HttpRequest, contents: Mapping[RowKind, bytes]) -> Checked | None:
    """The result of the check; None once the files are stored."""
    user: Any = request.user
    accept = "accept" in request.POST
    storing = "store" in request.POST
    digest = _digest(contents, accept=accept)
    if storing and not _was_checked(request.POST.get("checked", ""), digest, by=user):
        detail = (
            "these are not the files that were checked, or the check has expired; check them again"
        )
        return Checked(faults=(Fault("", "not-checked", detail),), total=1)
    streams = {kind: BytesIO(content) for kind, content in contents.items()}
    try:
        summary = intake.import_records(streams, by=user, accept=accept, dry_run=not storing)
    except Refusal as refusal:
        total = getattr(refusal, "total", len(refusal.faults))
        return Checked(faults=refusal.faults, total=total)
    lines = tuple(
        f"{kind.value.capitalize()}: {count.new} new, {count.updated} updated,"
        f" {count.unchanged} unchanged.{_alike(count.alike)}"
        for kind, count in summary.counts.items()
    )
    if storing:
        messages.success(request, f"Stored. {' '.join(lines)}")
        return None
    return Checked(lines, token=signing.dumps([user.pk, digest], salt=_SALT))


def _alike(count: int) -> str:
    """How many new events may repeat another, as a sentence; empty where none does."""
    if not count:
        return ""
    return f" {count} of the new ones may repeat an event on file, or one of this file."


def _digest(contents: Mapping[RowKind, bytes], *, accept: bool) -> str:
    """A digest of an upload: every byte, and whether its events are accepted at once."""
    whole = hashlib.sha256(b"accept" if accept else b"submit")
    for kind, content in contents.items():
        whole.update(kind.value.encode() + hashlib.sha256(content).digest())
    return whole.hexdigest()


def _was_checked(token: str, digest: str, *, by: Any) -> bool:
    """Whether this user had exactly these files checked without a fault, recently."""
    try:
        signed: Any = signing.loads(token, salt=_SALT, max_age=CHECKED_FOR)
    except signing.BadSignature:
        return False
    return bool(signed == [by.pk, digest])


def columns_of(kind: RowKind) -> tuple[str, str]:
    """The required and the optional columns of a file, each as a list in one line."""
    return ", ".join(REQUIRED_COLUMNS[kind]), ", ".join(OPTIONAL_COLUMNS[kind])


def too_large() -> forms.ValidationError:
    """Why an upload is too large, and what to do."""
    most = f"{MOST_BYTES // 1_000_000} MB"
    return forms.ValidationError(
        f"These files are larger than {most} together. Send them in parts, implants before their"
        " events, or ask your registry's data manager to import them on the server.",
        code="too-large",
    )
