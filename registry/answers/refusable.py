"""Forms of the page rooms that show what intake refuses."""

from django import forms
from django.utils.text import capfirst

from registry.records import Refusal


class RefusableForm(forms.Form):
    """A form whose answers intake judges."""

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
