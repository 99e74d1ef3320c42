"""`remind` mails once that an agreement ends, and says where it cannot."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.utils import timezone

from registry.models import Agreement
from registry.vocabulary import Role
from tests.factories import AgreementFactory, UserFactory

pytestmark = pytest.mark.django_db


def in_days(days):
    return timezone.now().date() + timedelta(days=days)


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "registry@example.org"


@pytest.fixture
def held():
    UserFactory(roles=[Role.DATA_MANAGER], email="manager@example.org")
    UserFactory(roles=[Role.DATA_MANAGER], email="gone@example.org", is_active=False)
    UserFactory(roles=[Role.DATA_MANAGER])
    person = UserFactory(username="ann", roles=[Role.ANALYST], email="ann@example.org")
    return AgreementFactory(user=person, reference="DUA-7", expires_on=in_days(30))


def test_researcher_and_data_managers_are_mailed_once(held, capsys):
    call_command("remind")
    call_command("remind")

    (message,) = mail.outbox
    assert (message.to, message.bcc) == (["ann@example.org"], ["manager@example.org"])
    last = f"{held.expires_on.day} {held.expires_on:%B %Y}"
    assert message.subject == f"Data-use agreement DUA-7 ends on {last}"
    assert "/agreement/" in message.body
    assert message.from_email == "registry@example.org"
    assert capsys.readouterr().out == "Reminders sent: 1\nReminders sent: 0\n"


def test_reminder_gives_the_whole_address_where_the_setting_has_it(held, settings):
    settings.REGISTRY_DIGEST_ADDRESS = "https://registry.example"

    call_command("remind")

    assert "page https://registry.example/agreement/ before it ends" in mail.outbox[0].body


@pytest.mark.parametrize("days", [31, -1])
def test_nobody_is_mailed_before_or_after(held, days):
    Agreement.objects.update(expires_on=in_days(days))

    call_command("remind")

    assert mail.outbox == []


def test_setting_says_how_many_days_before(held, settings):
    settings.REGISTRY_AGREEMENT_REMINDER_DAYS = 29

    call_command("remind")

    assert mail.outbox == []


def test_renewed_agreement_needs_no_reminder(held):
    AgreementFactory(user=held.user, renews=held, expires_on=in_days(300))

    call_command("remind")

    assert mail.outbox == []


def test_researcher_without_an_address_is_told_by_data_managers(held):
    type(held.user).objects.filter(pk=held.user.pk).update(email="")

    call_command("remind")

    assert (mail.outbox[0].to, mail.outbox[0].bcc) == ([], ["manager@example.org"])


def test_nobody_with_an_address_is_said_and_stays_due(held):
    type(held.user).objects.update(email="")

    with pytest.raises(CommandError, match="DUA-7: nobody concerned has an e-mail address"):
        call_command("remind")

    assert Agreement.objects.get().reminded_on is None


@pytest.mark.parametrize("name", ["EMAIL_HOST", "DEFAULT_FROM_EMAIL"])
def test_without_mail_the_command_says_so_and_notes_nothing(held, settings, capsys, name):
    setattr(settings, name, "")

    call_command("remind")

    assert "No mail is configured" in (said := capsys.readouterr().err)
    assert "Agreements that end soon: 1." in said
    assert mail.outbox == []
    assert Agreement.objects.get().reminded_on is None


def test_one_that_cannot_be_sent_holds_up_no_other(held, monkeypatch):
    AgreementFactory(user=held.user, reference="DUA-8", expires_on=in_days(5))
    send = EmailBackend.send_messages

    def flaky(self, messages):
        if "DUA-8" in messages[0].subject:
            raise SMTPServerDisconnected("secret detail")
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", flaky)

    with pytest.raises(CommandError, match=r"due again: DUA-8: SMTPServerDisconnected$"):
        call_command("remind")

    assert [message.subject[:26] for message in mail.outbox] == ["Data-use agreement DUA-7 e"]
    assert set(Agreement.objects.filter(reminded_on=None)) == {
        Agreement.objects.get(reference="DUA-8")
    }
