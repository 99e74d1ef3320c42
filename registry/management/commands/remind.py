"""Remind researchers and data managers, once each, that a data-use agreement ends soon."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from registry.intake import remind_of_agreement
from registry.models import Agreement, User
from registry.records import AGREEMENT_PATH
from registry.vocabulary import Right

NO_MAIL = "No mail is configured: give EMAIL_HOST and DEFAULT_FROM_EMAIL. Nobody was reminded."


class NoAddress(Exception):
    """Raised where neither the researcher nor a data manager has an e-mail address."""


class Command(BaseCommand):
    """Mails one reminder for every agreement that ends soon; idempotent, fit for a daily timer."""

    help = (
        "Mails researcher and data managers, once, when a data-use agreement ends within "
        "REGISTRY_AGREEMENT_REMINDER_DAYS and was not renewed. Run it from a timer, once a day."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send what is due; one that cannot be sent holds up no other, and is due again."""
        due = list(
            Agreement.objects.ending(timezone.now().date())
            .filter(reminded_on=None)
            .select_related("user")
            .order_by("expires_on", "pk")
        )
        if not (settings.EMAIL_HOST and settings.DEFAULT_FROM_EMAIL):
            self.stderr.write(f"{NO_MAIL} Agreements that end soon: {len(due)}.")
            return
        sent, unsent = 0, []
        for agreement in due:
            try:
                sent += remind_of_agreement(agreement, send=_send)
            except NoAddress:
                unsent.append(f"{agreement.reference}: nobody concerned has an e-mail address")
            except (SMTPException, OSError) as error:
                unsent.append(f"{agreement.reference}: {type(error).__name__}")
        self.stdout.write(f"Reminders sent: {sent}")
        if unsent:
            raise CommandError(f"Not sent, and due again: {'; '.join(unsent)}")


def _send(agreement: Agreement) -> None:
    """One message: to the researcher, with blind copies to the data managers."""
    managers = User.objects.who_may(Right.RUN_REGISTRY).exclude(email="").order_by("username")
    copies = [manager.email for manager in managers]
    person = agreement.user
    to = [person.email] if person.email and person.is_active else []
    if not to and not copies:
        raise NoAddress
    last = f"{agreement.expires_on.day} {agreement.expires_on:%B %Y}"
    EmailMessage(
        subject=f"Data-use agreement {agreement.reference} ends on {last}",
        body=(
            f"The data-use agreement {agreement.reference} of {person.username} in the pump "
            f"registry ends on {last}. After that day statistics are protected again.\n\n"
            "To go on, the researcher asks for its renewal on the registry's page "
            f"{settings.REGISTRY_DIGEST_ADDRESS}{AGREEMENT_PATH} before it ends; a data manager "
            "decides. Otherwise nothing needs to be done.\n"
        ),
        to=to,
        bcc=copies,
    ).send()
