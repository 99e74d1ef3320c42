"""Mail people what waits for them in the registry: numbers and links, nothing clinical."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError

from registry.answers.waiting import Waiting, waiting_for
from registry.intake.waiting import leads_a_site
from registry.models import User

OFF = "The digest is off: give REGISTRY_DIGEST_ADDRESS, https://registry.example. Nobody was told."
NO_MAIL = "No mail is configured: give EMAIL_HOST and DEFAULT_FROM_EMAIL. Nobody was told."


class Command(BaseCommand):
    """Mails everybody for whom something waits; fit for a timer, once a day or a week."""

    help = (
        "Mails everybody with an e-mail address and waiting work how much waits, with links to "
        "the lists. Off unless REGISTRY_DIGEST_ADDRESS is set. Run it from a timer."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send what is due; a message that cannot be sent holds up no other."""
        if not settings.REGISTRY_DIGEST_ADDRESS:
            self.stderr.write(OFF)
            return
        if not (settings.EMAIL_HOST and settings.DEFAULT_FROM_EMAIL):
            self.stderr.write(NO_MAIL)
            return
        sent, unsent = 0, []
        people = User.objects.filter(is_active=True, is_staff=True).exclude(email="")
        for person in people.order_by("username"):
            waiting = waiting_for(person, leads=leads_a_site(person))
            due = [one for one in waiting if one.number]
            if not due:
                continue
            try:
                message(person, due).send()
            except (SMTPException, OSError) as error:
                unsent.append(f"{person}: {type(error).__name__}")
            else:
                sent += 1
        self.stdout.write(f"Digests sent: {sent}")
        if unsent:
            raise CommandError(f"Not sent: {'; '.join(unsent)}")


def message(person: User, due: list[Waiting]) -> EmailMessage:
    """The message to one person: a line and a link for each queue that is not empty."""
    address = settings.REGISTRY_DIGEST_ADDRESS
    lines = "\n".join(f"- {one.counted} {one.words}\n  {address}{one.address}" for one in due)
    return EmailMessage(
        subject="What waits for you in the pump registry",
        body=(
            f"For {person.username}:\n\n{lines}\n\n"
            "Sign in to see them: this message holds numbers and links only.\n"
        ),
        to=[person.email],
    )
