"""`digest` mails numbers and links of what waits, and only where it is switched on."""

from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command

from registry.vocabulary import Role
from tests.factories import EventFactory, SiteFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on(settings):
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "registry@example.org"
    settings.REGISTRY_DIGEST_ADDRESS = "https://registry.example"


@pytest.fixture
def site():
    return SiteFactory(code="A-1", name="Hospital of the river")


@pytest.fixture
def nurse(site):
    return UserFactory(
        username="nurse", roles=[Role.SITE_STAFF], sites=[site], email="n@example.org"
    )


@pytest.fixture
def reviewer():
    return UserFactory(username="reviewer", roles=[Role.REVIEWER], email="r@example.org")


@pytest.fixture
def events(site):
    EventFactory(site=site, source_id="e-7", state="submitted")
    EventFactory(site=site, source_id="e-8", state="draft")
    EventFactory(site=site, source_id="e-9", state="rejected", reason="not-an-event")


def test_everybody_is_told_how_much_waits_and_where(nurse, reviewer, events, capsys):
    call_command("digest")

    bodies = {message.to[0]: message.body for message in mail.outbox}
    link = "https://registry.example/admin/registry/event/?"
    assert f"- 1 event to review\n  {link}queue=to-review\n" in bodies["r@example.org"]
    assert f"- 1 draft of your site\n  {link}state=draft\n" in bodies["n@example.org"]
    assert (
        f"- 1 event rejected, with the reason\n  {link}queue=rejected\n" in bodies["n@example.org"]
    )
    assert "queue=to-review" not in bodies["n@example.org"]
    assert capsys.readouterr().out == "Digests sent: 2\n"


def test_no_key_complication_site_name_or_other_person_is_mailed(nurse, reviewer, events):
    call_command("digest")

    for message in mail.outbox:
        text = f"{message.subject} {message.body}"
        for word in ("e-7", "e-8", "e-9", "igration", "catheter", "river", "not-an-event"):
            assert word not in text
        assert (len(message.to), message.cc, message.bcc) == (1, [], [])


def test_nobody_is_told_of_nothing(reviewer):
    call_command("digest")

    assert mail.outbox == []


@pytest.mark.parametrize("lacks", [{"email": ""}, {"is_active": False}])
def test_closed_accounts_and_those_without_an_address_get_none(lacks, events):
    UserFactory(roles=[Role.REVIEWER], **{"email": "r@example.org", **lacks})

    call_command("digest")

    assert mail.outbox == []


def test_it_is_off_by_default(reviewer, events, settings, capsys):
    settings.REGISTRY_DIGEST_ADDRESS = ""

    call_command("digest")

    assert mail.outbox == []
    assert "The digest is off" in capsys.readouterr().err


def test_without_a_server_nothing_is_sent(reviewer, events, settings, capsys):
    settings.EMAIL_HOST = ""

    call_command("digest")

    assert mail.outbox == []
    assert "No mail is configured" in capsys.readouterr().err


def test_a_message_that_fails_holds_up_no_other(nurse, reviewer, events, monkeypatch, capsys):
    send = EmailBackend.send_messages

    def fails_once(backend, messages):
        if messages[0].to == ["n@example.org"]:
            raise SMTPServerDisconnected
        return send(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", fails_once)

    with pytest.raises(CommandError, match="Not sent: nurse: SMTPServerDisconnected"):
        call_command("digest")

    assert [message.to for message in mail.outbox] == [["r@example.org"]]
    assert capsys.readouterr().out == "Digests sent: 1\n"
