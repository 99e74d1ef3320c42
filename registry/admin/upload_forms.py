"""The forms of an upload: its files, kept in memory alone, and the words of a site."""

from io import BytesIO
from typing import Any

from django import forms
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

from registry import intake
from registry.models import Site
from registry.records import RowKind
from registry.vocabulary import Right

MOST_BYTES = 5_000_000
"""The most bytes of one upload: about 50,000 rows, stored within half a minute."""


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
    blank = forms.CharField(
        label="Words taken as empty",
        required=False,
        max_length=500,
        help_text="Separated by commas, such as NA, n/a. A code of a column stays one.",
    )
    mapping = forms.FileField(
        label="Mapping of words",
        required=False,
        help_text="JSON: what your headings and words mean, for these files only.",
    )
    accept = forms.BooleanField(
        label="Accept the events at once",
        required=False,
        help_text="Otherwise they are submitted and wait for review.",
    )

    def __init__(self, *args: Any, by: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large = too_large
        self.label_suffix = ""
        if not by.may(Right.RUN_REGISTRY):
            del self.fields["accept"]
        for kind in RowKind:
            self.fields[kind.value].widget.attrs["accept"] = ".csv,.txt,.xlsx,text/csv"
        self.fields["mapping"].widget.attrs["accept"] = ".json,application/json"

    def clean(self) -> dict[str, Any]:
        """Requires at least one file, and none that was too large to be read."""
        cleaned = super().clean() or {}
        if self.too_large:
            raise _too_large()
        if not any(cleaned.get(kind.value) is not None for kind in RowKind):
            raise forms.ValidationError("Choose a file.", code="required")
        return cleaned

    def contents(self) -> dict[RowKind, bytes]:
        """The files, by kind."""
        sent = {kind: self.cleaned_data.get(kind.value) for kind in RowKind}
        return {kind: file.read() for kind, file in sent.items() if file is not None}


class WordsForm(forms.Form):
    """A mapping of words to be kept with a site."""

    site = forms.ModelChoiceField(Site.objects.none(), to_field_name="code", empty_label=None)
    words = forms.FileField(label="Mapping", help_text="JSON; an empty one, {}, removes it.")

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        sites = Site.objects.visible_to(by).filter(active=True)
        mine = [site.pk for site in sites if intake.may_keep_words(site, by=by)]
        self.fields["site"].queryset = sites.filter(pk__in=mine)  # type: ignore[attr-defined]
        self.fields["words"].widget.attrs["accept"] = ".json,application/json"

    @property
    def offered(self) -> bool:
        """Whether there is a site whose words this user may keep."""
        return bool(self.fields["site"].queryset)  # type: ignore[attr-defined]


def _too_large() -> forms.ValidationError:
    """Why an upload is too large, and what to do."""
    most = f"{MOST_BYTES // 1_000_000} MB"
    return forms.ValidationError(
        f"These files are larger than {most} together. Send them in parts, implants before their"
        " events, or ask your registry's data manager to import them on the server.",
        code="too-large",
    )
