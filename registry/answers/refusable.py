"""Forms of the page rooms that show what intake refuses."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.text import capfirst

from registry.records import Refusal

NOT_OFFERED = "Choose one of the answers that are offered."


def without_echo(fields: Mapping[str, forms.Field]) -> None:
    """Has no field repeat an answer that it does not offer, which may be anything."""
    for field in fields.values():
        for code, words in field.error_messages.items():
            if "%(value)s" in str(words):
                field.error_messages[code] = NOT_OFFERED


class RefusableForm(forms.Form):
    """A form whose answers intake judges."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        without_echo(self.fields)

    def refuse(self, refusal: Refusal) -> None:
        """Shows intake's faults at their fields, or above the form where nobody sees the field.

        A field that has an error of its own keeps that alone.
        """
        unread = set(self.errors)
        for fault in refusal.faults:
            shown = fault.column in self.fields and not self[fault.column].is_hidden
            place = fault.column if shown else None
            if place in unread:
                continue
            self.add_error(place, forms.ValidationError(sentence(fault.detail), code=fault.code))


def in_sentences(refusal: Refusal) -> str:
    """Why something was refused, as sentences."""
    return " ".join(sentence(fault.detail) for fault in refusal.faults)


def sentence(words: str) -> str:
    """A fault's text as a sentence."""
    return capfirst(words) if words.endswith((".", "!", "?")) else f"{capfirst(words)}."
