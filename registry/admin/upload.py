"""Files of rows uploaded by form: checked, then stored all or nothing; files are not kept."""

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from registry import intake
from registry.admin import upload_forms
from registry.admin.upload_forms import MemoryOnly, UploadForm, WordsForm
from registry.answers.refusable import sentence
from registry.interchange.fault_list import write_faults
from registry.interchange.workbook_template import template_workbook
from registry.models import Complication, Site
from registry.records import Fault, Refusal, RowKind
from registry.records.columns import OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from registry.records.readings import FileReading
from registry.vocabulary import Right

CHECKED_FOR = 3600
"""Seconds after a check in which the same files may be stored."""

_SALT = "registry.admin.upload"
_MOST_SITES = 50
"""The sites whose files are offered by a link."""

_WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEMPLATE = "admin/registry/upload.html"


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload: its files, how they are worded, and whether its events are accepted at once."""

    contents: Mapping[RowKind, bytes]
    wording: intake.Wording
    accept: bool

    @property
    def streams(self) -> dict[RowKind, BytesIO]:
        """The files, to be read from their start."""
        return {kind: BytesIO(content) for kind, content in self.contents.items()}

    @property
    def digest(self) -> str:
        """A digest of every byte and of every choice."""
        said = [self.accept, sorted(self.wording.blank), self.wording.words.as_json()]
        whole = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        for kind, content in self.contents.items():
            whole.update(kind.value.encode() + hashlib.sha256(content).digest())
        return whole.hexdigest()


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of checking files: faults, or how many rows would be stored.

    lines: a line for each kind. read: what was read differently. token: allows exactly these files
    to be stored. kinds: the faults by kind; faults: the first ones singly. total: the number of
    faults, including those not listed. words: words for "nothing recorded" that can be taken as
    empty. blank: those that were. is_idle: whether storing would change nothing.
    """

    lines: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    kinds: tuple[intake.FaultKind, ...] = ()
    faults: tuple[Fault, ...] = ()
    total: int = 0
    token: str = ""
    words: tuple[str, ...] = ()
    blank: str = ""
    is_idle: bool = False

    @property
    def listed(self) -> list[tuple[str, int | str, str, str]]:
        """Each fault as file, line, column and sentence, without the refused value."""
        return [
            (fault.file or "", fault.line or "", fault.column, sentence(fault.detail))
            for fault in self.faults
        ]

    @property
    def asks_for_codes(self) -> bool:
        """Whether a fault is mended by a code of a list."""
        return any(kind.code == "unknown-code" for kind in self.kinds)

    @property
    def by_kind(self) -> list[tuple[str, str, str, str]]:
        """Each kind of fault as file, column, sentence, and its rows with the first lines."""
        return [
            (kind.file or "", kind.column, sentence(kind.detail), kind.counted)
            for kind in self.kinds
        ]


@csrf_exempt  # until the upload handler keeps the files off the disk: see below
def upload_page(request: HttpRequest) -> HttpResponseBase:
    """Checks files of rows and stores them, for members of sites and data managers.

    The upload handler must be set before the form's CSRF token is read.
    """
    handler = MemoryOnly(request)
    request.upload_handlers = [handler]
    return _protected(request, handler)


@csrf_protect
def _protected(request: HttpRequest, handler: MemoryOnly) -> HttpResponseBase:
    user: Any = request.user
    if not (user.may(Right.ENTER_ROWS)):
        raise PermissionDenied
    form, words = UploadForm(by=user), WordsForm(by=user)
    if request.method != "POST":
        return _page(request, form, words, None)
    if "keep" in request.POST:
        words = WordsForm(request.POST, request.FILES, by=user)
        return _keep(request, form, words)
    form = UploadForm(request.POST, request.FILES, by=user, too_large=handler.too_large)
    if not form.is_valid():
        return _page(request, form, words, None)
    try:
        sent = _sent(request, form)
    except Refusal as refusal:
        form.add_error("mapping", [sentence(fault.detail) for fault in refusal.faults])
        return _page(request, form, words, None)
    if "store" in request.POST:
        checked = _store(request, sent)
        return (
            HttpResponseRedirect(reverse("upload"))
            if checked is None
            else _page(request, form, words, checked)
        )
    if "faults" in request.POST:
        return _fault_list(request, sent)
    if request.headers.get("X-Progress"):
        lines = _with_progress(request, form, words, sent)
        return StreamingHttpResponse(lines, content_type="application/x-ndjson")
    return _page(request, form, words, _finished(_check(request, sent)))


def _page(
    request: HttpRequest, form: UploadForm, words: WordsForm, checked: Checked | None
) -> HttpResponse:
    status = 422 if checked is not None and checked.faults else 200
    context = _context(request, form, words, checked)
    return TemplateResponse(request, _TEMPLATE, context, status=status)


def _context(
    request: HttpRequest, form: UploadForm, words: WordsForm, checked: Checked | None
) -> dict[str, Any]:
    return {
        **admin.site.each_context(request),
        "title": "Upload files",
        "form": form,
        "words_form": words,
        "own_sites": Site.objects.visible_to(request.user).order_by("code")[:_MOST_SITES],
        "kinds": [kind.value for kind in RowKind],
        "checked": checked,
        "most": f"{upload_forms.MOST_BYTES // 1_000_000} MB",
        "columns": [(kind.value, *columns_of(kind)) for kind in RowKind],
    }


def _sent(request: HttpRequest, form: UploadForm) -> Sent:
    """The upload of a valid form. Raises Refusal for a mapping with faults."""
    user: Any = request.user
    blank = ",".join((*request.POST.getlist("blank"), *request.POST.getlist("take_empty")))
    mapping = form.cleaned_data["mapping"]
    wording = intake.wording_of(
        user, mapping=mapping.read() if mapping is not None else None, blank=blank
    )
    return Sent(form.contents(), wording, "accept" in request.POST)


Checking = Generator[tuple[RowKind, int], None, Checked]


def _check(request: HttpRequest, sent: Sent) -> Checking:
    """Checks files, telling the rows read so far."""
    user: Any = request.user
    blank = ", ".join(sent.wording.blank)
    try:
        judged = yield from intake.judging(
            sent.streams, by=user, accept=sent.accept, wording=sent.wording
        )
    except Refusal as refusal:
        return _refused(refusal, blank=blank)
    return Checked(
        _counted(judged.summary),
        _read_differently(judged.summary.readings),
        token=signing.dumps([user.pk, sent.digest], salt=_SALT),
        blank=blank,
        is_idle=judged.summary.changes_nothing,
    )


def _finished(checking: Checking) -> Checked:
    """The result of a check whose progress nobody follows."""
    while True:
        try:
            next(checking)
        except StopIteration as end:
            checked: Checked = end.value
            return checked


def _with_progress(
    request: HttpRequest, form: UploadForm, words: WordsForm, sent: Sent
) -> Iterator[str]:
    """The check as lines of JSON: the rows read so far, and at last the page."""
    checking = _check(request, sent)
    while True:
        try:
            kind, rows = next(checking)
        except StopIteration as end:
            context = _context(request, form, words, end.value)
            yield json.dumps({"page": render_to_string(_TEMPLATE, context, request)}) + "\n"
            return
        yield json.dumps({"kind": kind.value, "rows": rows}) + "\n"


def _store(request: HttpRequest, sent: Sent) -> Checked | None:
    """Stores files that were checked: None, or why they are not stored."""
    user: Any = request.user
    if not _was_checked(request.POST.get("checked", ""), sent.digest, by=user):
        detail = (
            "these are not the files that were checked, or the check has expired; check them again"
        )
        return Checked(faults=(Fault("", "not-checked", detail),), total=1)
    try:
        summary = intake.import_records(
            sent.streams, by=user, accept=sent.accept, wording=sent.wording
        )
    except Refusal as refusal:
        return _refused(refusal)
    messages.success(request, f"Stored. {' '.join(_counted(summary))}")
    return None


def _refused(refusal: Refusal, *, blank: str = "") -> Checked:
    if not isinstance(refusal, intake.ImportRefused):
        return Checked(faults=refusal.faults, total=len(refusal.faults))
    return Checked(
        read=_read_differently(refusal.readings),
        kinds=refusal.kinds,
        faults=refusal.faults,
        total=refusal.total,
        words=tuple(refusal.words_for_empty),
        blank=blank,
    )


def _counted(summary: intake.ImportSummary) -> tuple[str, ...]:
    made = summary.named_new_sites
    return (
        *((f"New sites: {made}. Check that none is misspelled.",) if made else ()),
        *(
            f"{kind.value.capitalize()}: {count.new:,} new, {count.updated:,} updated,"
            f" {count.unchanged:,} unchanged.{_alike(count.alike)}"
            if summary.done[kind]
            else f"{kind.value.capitalize()}: no row stands below the column names."
            for kind, count in summary.counts.items()
        ),
    )


def _alike(count: int) -> str:
    """How many new events may repeat another, as a sentence; empty where none does."""
    if not count:
        return ""
    return f" {count:,} of the new ones may repeat an event on file, or one of this file."


def _read_differently(readings: Mapping[RowKind, FileReading]) -> tuple[str, ...]:
    return tuple(
        f"{kind.value.capitalize()}: {said}."
        for kind, reading in readings.items()
        for said in reading.sentences()
    )


def _fault_list(request: HttpRequest, sent: Sent) -> HttpResponse:
    """Every fault of the files as CSV, without a value."""
    user: Any = request.user
    faults: Any = ()
    try:
        intake.judge_records(sent.streams, by=user, accept=sent.accept, wording=sent.wording)
    except intake.ImportRefused as refusal:
        faults = refusal.every
    except Refusal as refusal:
        faults = refusal.faults
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="faults.csv"'
    write_faults(faults, response)
    return response


def _keep(request: HttpRequest, form: UploadForm, words: WordsForm) -> HttpResponse:
    """Keeps a mapping with a site."""
    user: Any = request.user
    if words.is_valid():
        site = words.cleaned_data["site"]
        try:
            intake.keep_words(site, mapping=words.cleaned_data["words"].read(), by=user)
        except Refusal as refusal:
            words.add_error("words", [sentence(fault.detail) for fault in refusal.faults])
        else:
            messages.success(request, f"The words of {site} are kept, and used from now on.")
            return HttpResponseRedirect(reverse("upload"))
    return _page(request, form, words, None)


def _was_checked(token: str, digest: str, *, by: Any) -> bool:
    """Whether this user had exactly these files checked without a fault, recently."""
    try:
        signed: Any = signing.loads(token, salt=_SALT, max_age=CHECKED_FOR)
    except signing.BadSignature:
        return False
    return bool(signed == [by.pk, digest])


def template_page(request: HttpRequest) -> HttpResponse:
    """The template workbook of every kind, for whoever may send files."""
    user: Any = request.user
    if not user.may(Right.ENTER_ROWS):
        raise PermissionDenied
    codes = Complication.objects.current().order_by("code").values_list("code", flat=True)
    content = template_workbook(RowKind, list(codes), without=intake.columns_not_kept())
    response = HttpResponse(content, content_type=_WORKBOOK_TYPE)
    response["Content-Disposition"] = 'attachment; filename="template.xlsx"'
    return response


def columns_of(kind: RowKind) -> tuple[str, str]:
    """The required and the optional columns of a file, each as a list in one line."""
    unasked = intake.columns_not_kept()
    optional = [name for name in OPTIONAL_COLUMNS[kind] if name not in unasked]
    return ", ".join(REQUIRED_COLUMNS[kind]), ", ".join(optional)
