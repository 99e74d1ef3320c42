"""Form fields of a question: lists of codes, years and windows, refusals never echo a value.

Each takes a comma-separated text, a repeated parameter, or both, and gives sorted distinct values.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from registry.filters.codes import (
    NO,
    YES,
    codes_of,
    group_members,
    nearest,
    own_codes,
    periods,
    with_not_recorded,
)
from registry.models.rules import FIRST_YEAR, LAST_YEAR
from registry.records import DIMENSIONS, Window
from registry.records.numerals import without_point_zero
from registry.vocabulary import NOT_RECORDED

_NUMBER = re.compile(r"[0-9]{0,9}\.?[0-9]{1,9}(e\+?[0-9]{1,2})?")
ORDINALS = ("first", "second", "third", "fourth", "fifth")


def listed(data: Mapping[str, Any], name: str) -> list[str]:
    """The values of a parameter, whether repeated, comma-separated or both, without blanks."""
    given: Any
    if hasattr(data, "getlist"):
        given = data.getlist(name)
    else:
        given = data.get(name) or []
        given = [given] if isinstance(given, str) else given
    return [part.strip() for text in given for part in str(text).split(",") if part.strip()]


def _place(position: int, total: int) -> str:
    """Names one of several values by its position, without echoing it."""
    if total == 1:
        return "The value"
    return f"The {ORDINALS[position]} value" if position < 5 else f"Value {position + 1}"


def refusals(
    values: Sequence[str], known: Iterable[str], *, code: str, what: str
) -> list[ValidationError]:
    """A refusal for each unknown value, naming the nearest known one."""
    words = tuple(known)
    return [
        ValidationError(
            f"{_place(position, len(values))} is not {what}. "
            + (f"The nearest is {nearest(value, words)}." if words else "There is none yet."),
            code=code,
        )
        for position, value in enumerate(values)
        if value not in words
    ]


def _same_number(word: str, number: str) -> bool:
    return _NUMBER.fullmatch(word) is not None and float(word) == float(number)


class ListInput(forms.TextInput):
    """A text box whose values are separated by commas."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str:
        return ",".join(listed(data, name))


class CodesInput(forms.SelectMultiple):
    """A list to choose from that also takes comma-separated values, as in addresses."""

    synonyms: Mapping[str, str] = {}

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        return [self.synonyms.get(each.lower(), each) for each in listed(data, name)]


class FlagInput(CodesInput):
    """Yes or no; also takes true and false."""

    synonyms = {"true": YES, "false": NO}


class OptionInput(forms.Select):
    """One choice of a list; of numbers, also as programs write them: 0.9, .95, 100.0, 1e+05."""

    known: Sequence[str] = ()

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        raw = super().value_from_datadict(data, files, name)
        given = without_point_zero(str(raw or "").strip())
        if _NUMBER.fullmatch(given) is None:
            return given
        return next((each for each in self.known if _same_number(each, given)), given)


class CodesField(forms.MultipleChoiceField):
    """Codes of one dimension, its group codes and `not-recorded`; gives a sorted tuple."""

    widget = CodesInput

    def __init__(self, *, dimension: str, **options: Any) -> None:
        self.dimension = dimension
        super().__init__(choices=partial(self._offered, dimension), **options)

    @staticmethod
    def _offered(dimension: str) -> list[tuple[str, str]]:
        return with_not_recorded(codes_of(dimension))

    def clean(self, value: Any) -> tuple[str, ...]:
        if not value:
            return ()
        value = [without_point_zero(each) for each in value]
        known = (*own_codes(self.dimension), NOT_RECORDED)
        if any(each not in known for each in value):
            groups = group_members(self.dimension)
            known = (*known, *(group for group, codes in groups.items() if codes))
        what = f"a code of {DIMENSIONS[self.dimension].title.lower()}"
        if errors := refusals(value, known, code="unknown-code", what=what):
            raise ValidationError(errors)
        return tuple(sorted(set(value)))


class FlagField(forms.MultipleChoiceField):
    """Yes, no or `not-recorded`; also takes true and false as R and Python write them."""

    widget = FlagInput

    def __init__(self, *, dimension: str, **options: Any) -> None:
        super().__init__(choices=with_not_recorded(codes_of(dimension)), **options)

    def clean(self, value: Any) -> tuple[str, ...]:
        known = (YES, NO, NOT_RECORDED)
        if errors := refusals(value or (), known, code="unknown-code", what="yes or no"):
            raise ValidationError(errors)
        return tuple(sorted(set(value or ())))


class ListField(forms.Field, ABC):
    """Comma-separated words, each read or refused by `read`."""

    widget = ListInput

    @abstractmethod
    def read(self, word: str, place: str) -> Any:
        """The value of a word; raises ValidationError."""

    def clean(self, value: Any) -> tuple[Any, ...]:
        words = [part for part in (value or "").split(",") if part]
        errors: list[ValidationError] = []
        found = set()
        for position, word in enumerate(words):
            try:
                found.add(self.read(word, _place(position, len(words))))
            except ValidationError as error:
                errors.append(error)
        if errors:
            raise ValidationError(errors)
        return tuple(sorted(found, key=str))


class YearsField(ListField):
    """Calendar years, and five-year periods where the dimension has them."""

    def __init__(self, *, dimension: str, **options: Any) -> None:
        self.takes_periods = DIMENSIONS[dimension].parent == "period"
        super().__init__(**options)

    def read(self, word: str, place: str) -> str:
        word = without_point_zero(word)
        if word == NOT_RECORDED or (self.takes_periods and word in periods()):
            return word
        if re.fullmatch(r"[0-9]{4}", word) and FIRST_YEAR <= int(word) <= LAST_YEAR:
            return word
        also = ", a five-year period such as 2020-2024" if self.takes_periods else ""
        raise ValidationError(
            f"{place} is not a year from {FIRST_YEAR} to {LAST_YEAR}{also} or {NOT_RECORDED}.",
            code="bad-range",
        )


class PeriodsField(ListField):
    """Five-year periods that start in a year ending in 0 or 5."""

    def __init__(self, *, dimension: str, **options: Any) -> None:
        super().__init__(**options)

    def read(self, word: str, place: str) -> str:
        known = tuple(periods())
        if word == NOT_RECORDED or word in known:
            return word
        year = word[:4] if word[:4].isdecimal() else ""
        close = max((each for each in known if each[:4] <= year), default=known[0])
        raise ValidationError(
            f"{place} is not a five-year period such as {close}.", code="bad-range"
        )


class WindowsField(ListField):
    """Windows of whole months since implant, both ends included: `0-3,4-12,13-`."""

    def __init__(self, *, dimension: str, **options: Any) -> None:
        super().__init__(**options)

    def read(self, word: str, place: str) -> Window | str:
        if word == NOT_RECORDED:
            return word
        match = re.fullmatch(r"([0-9]{1,4})-([0-9]{1,4})?", word)
        if match is None:
            raise ValidationError(
                f"{place} is not a window of months such as 4-12, or 13- with an open end.",
                code="bad-range",
            )
        start, end = int(match[1]), int(match[2]) if match[2] else None
        if end is not None and end < start:
            raise ValidationError(
                f"{place} ends before it starts: write the smaller number of months first.",
                code="bad-range",
            )
        return Window(start, end)

    def clean(self, value: Any) -> tuple[Window | str, ...]:
        found = super().clean(value)
        if NOT_RECORDED in found and len(found) > 1:
            raise ValidationError(
                f"Ask for windows or for {NOT_RECORDED}, not for both at once.", code="bad-range"
            )
        return tuple(sorted(found, key=_start_and_end))


def _start_and_end(window: Window | str) -> tuple[int, float]:
    """The sort key of a window: an open end comes after every other end."""
    if isinstance(window, str):
        return (0, 0.0)
    return (window.start, float("inf") if window.end is None else window.end)


class NamesField(forms.Field):
    """Names from a list, in the given order, each once.

    known: the list, None where it depends on the question, whose form looks. choices: the names
    with their titles, where a form offers them.
    """

    def __init__(
        self,
        *,
        known: Callable[[], tuple[str, ...]] | None,
        what: str,
        code: str,
        most: int | None = None,
        choices: Sequence[tuple[str, str]] = (),
        **options: Any,
    ) -> None:
        self.known, self.what, self.code, self.most = known, what, code, most
        widget = CodesInput(choices=choices) if choices else ListInput()
        super().__init__(widget=widget, **options)

    def clean(self, value: Any) -> tuple[str, ...]:
        given = ",".join(value) if isinstance(value, list) else value or ""
        words = [part for part in given.split(",") if part]
        bare = [word.removeprefix("-") for word in words] if self.most is None else words
        errors = []
        if bare and self.known:  # some lists are kept in tables
            errors = refusals(bare, self.known(), code=self.code, what=self.what)
        if len(set(bare)) < len(bare):
            errors.append(ValidationError("Name each only once.", code="repeated-name"))
        if self.most is not None and len(words) > self.most:
            errors.append(ValidationError(f"Name at most {self.most}.", code="too-many-names"))
        if errors:
            raise ValidationError(errors)
        return tuple(words)


class YearField(forms.IntegerField):
    """One calendar year, an end of a range."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages = {"invalid": f"Give one year from {FIRST_YEAR} to {LAST_YEAR}."}

    def clean(self, value: Any) -> int | None:
        text = without_point_zero(str(value or "").strip())
        if not text:
            return None
        if re.fullmatch(r"[0-9]{4}", text) and FIRST_YEAR <= int(text) <= LAST_YEAR:
            return int(text)
        raise ValidationError(self.error_messages["invalid"], code="bad-range")


class OptionField(forms.ChoiceField):
    """One word of a short list, such as what to count; empty for the measure's default."""

    widget = OptionInput

    def __init__(self, *, choices: Sequence[tuple[str, str]], **options: Any) -> None:
        self.known = tuple(str(code) for code, _label in choices)
        super().__init__(choices=[("", "Default"), *choices], **options)
        self.widget.known = self.known

    def clean(self, value: Any) -> str:
        text = str(value or "").strip()
        if text and text not in self.known:
            close = nearest(text, self.known)
            raise ValidationError(
                f"Choose one of {', '.join(self.known)}. The nearest is {close}.",
                code="unknown-code",
            )
        return text


class ReferenceField(forms.Field):
    """The value of the row that others are compared with; which rows there are is not checked."""

    def clean(self, value: Any) -> str | None:
        text = without_point_zero(str(value or "").strip())
        if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", text):
            raise ValidationError(
                "Give the code of a row, such as that of a model.", code="unknown-code"
            )
        return text or None


class ReleaseField(forms.Field):
    """The label or the id of a release; does not check that it exists."""

    def clean(self, value: Any) -> str | None:
        text = str(value or "").strip()
        if text and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", text):
            raise ValidationError(
                "Give the label of a release, such as 2026Q4, or a snapshot's id.",
                code="unknown-code",
            )
        return text or None
