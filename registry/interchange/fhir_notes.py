"""What reading a resource finds: texts by column, warnings and faults by FHIR path."""

from dataclasses import dataclass, field
from typing import Any

from registry.records import Fault


@dataclass(slots=True, repr=False)
class Notes:
    """The findings so far. No message repeats a value."""

    texts: dict[str, str] = field(default_factory=dict)
    warnings: list[Fault] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, code: str, detail: str) -> None:
        """Notes what cannot be read."""
        self.faults.append(Fault(path, code, detail))

    def warn(self, path: str, code: str, detail: str) -> None:
        """Notes what is read otherwise than it stands."""
        self.warnings.append(Fault(path, code, detail))

    def drop(self, path: str, what: str = "") -> None:
        """Notes what is left out. what: the part of it, or the reason."""
        self.warn(path, "left-out", f"left out: {what or 'the registry does not keep this'}")

    def text(self, column: str, value: Any, path: str) -> None:
        """Takes a text for a column."""
        if isinstance(value, str) and value.strip():
            self.agree(column, value.strip(), path)
        else:
            self.fault(path, "bad-type", "send text")

    def agree(self, column: str, text: str, path: str) -> None:
        """Takes a text for a column that nothing else in the resource contradicts."""
        if self.texts.setdefault(column, text) != text:
            detail = "another place in the resource gives another value: keep one"
            self.fault(path, "contradictory", detail)
