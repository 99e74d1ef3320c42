"""The steps of an event's state as buttons and list actions: label, verb, and what each asks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry import intake
from registry.admin.review_forms import (
    AcceptForm,
    DiscardForm,
    DuplicateForm,
    RecodeForm,
    RejectForm,
    ReopenForm,
    ReturnForm,
    StepForm,
    WithdrawForm,
)
from registry.models import User
from registry.vocabulary import Right


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an event's state.

    name: its verb in intake. label: its button. title: of its page, with a place for the event.
    done: the state of an event afterwards. form: the fields it needs. note: an explanation.
    one_by_one: each event needs an answer of its own.
    """

    name: str
    label: str
    title: str
    done: str
    verb: Callable[..., object]
    form: type[StepForm] = StepForm
    note: str = ""
    one_by_one: bool = False

    @property
    def ends_review(self) -> bool:
        """Whether the step ends an event's review."""
        return self.name in {"accept", "reject", "duplicate", "return"}

    @property
    def asks(self) -> bool:
        """Whether the step needs an answer, or a second look."""
        return self.form is not StepForm

    @property
    def asks_of_one(self) -> bool:
        """Whether the button on an event's own page leads to a page that asks."""
        return self.asks and self.form is not AcceptForm

    def within_role(self, user: User) -> bool:
        """Whether the user's roles include this step; intake decides for which events."""
        if self.name == "withdraw":
            return user.may(Right.RUN_REGISTRY) or user.sites_led().exists()
        if self.name in {"submit", "take-back", "discard"}:
            return user.may(Right.ENTER_ROWS)
        return user.may(Right.SEE_ALL_ROWS)


STEPS: Mapping[str, Step] = {
    step.name: step
    for step in (
        Step("submit", "Submit", "Submit {}", "submitted", intake.submit_event),
        Step(
            "take-back",
            "Take back",
            "Take back {}",
            "a draft again",
            intake.take_back_event,
        ),
        Step(
            "accept",
            "Accept",
            "Accept {}",
            "accepted",
            intake.accept_event,
            AcceptForm,
            "Accepted events are counted from now on.",
        ),
        Step(
            "return",
            "Return with a question",
            "Return {} to its site",
            "returned to its site",
            intake.return_event,
            ReturnForm,
            "The event becomes a draft of its site, which sees the question and answers it.",
            one_by_one=True,
        ),
        Step(
            "reject",
            "Reject",
            "Reject {}",
            "rejected",
            intake.reject_event,
            RejectForm,
            "A rejected event is kept with its reason, and not counted. Its site sees the reason.",
        ),
        Step(
            "duplicate",
            "Mark as duplicate",
            "Mark {} as duplicate",
            "marked as duplicate",
            intake.mark_duplicate,
            DuplicateForm,
            "A duplicate is kept, and not counted; the other report is counted.",
            one_by_one=True,
        ),
        Step(
            "ask",
            "Ask",
            "Ask about {}",
            "asked about",
            intake.raise_query,
            ReturnForm,
            "The event stays as it is; its site sees the question and answers it.",
            one_by_one=True,
        ),
        Step(
            "recode",
            "Recode",
            "Recode {}",
            "recoded",
            intake.recode_event,
            RecodeForm,
            "The event stays submitted; accept it afterwards.",
        ),
        Step(
            "reopen",
            "Reopen",
            "Reopen {}",
            "under review again",
            intake.reopen_event,
            ReopenForm,
            "The event goes back into review and is not counted meanwhile.",
        ),
        Step(
            "withdraw",
            "Withdraw",
            "Withdraw {}",
            "withdrawn",
            intake.withdraw_event,
            WithdrawForm,
            "A withdrawn report is kept and no longer counted. It cannot be brought back.",
        ),
        Step(
            "discard",
            "Discard",
            "Discard {}",
            "discarded",
            intake.discard_event,
            DiscardForm,
            "A discarded draft leaves the lists. It cannot be brought back.",
        ),
    )
}
"""Every step by name, in the order of their buttons."""
