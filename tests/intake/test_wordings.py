"""The words of a site: who keeps them, what is refused, and that files are read by them."""

import io
import json

import pytest

from registry.intake import import_records, keep_words, wording_of
from registry.interchange.site_words import site_words_of
from registry.models import Event, Site
from registry.records import NotPermitted, Refusal, RowKind
from tests.factories import MembershipFactory, SiteFactory

WORDS = {"columns": {"Geschlecht": "sex"}, "sex": {"W": "female"}, "outcome": {"geheilt": ""}}
FILE = (
    b"site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome,"
    b"Geschlecht\nBERN,e1,,csf-leak,2012,,2,none,Geheilt,w\n"
)


def mapping(**words):
    return json.dumps(words or WORDS).encode()


def test_files_of_members_are_read_by_the_words_of_their_site(world):
    keep_words(world.site, mapping=mapping(), by=world.lead)

    wording = wording_of(world.reporter)
    import_records({RowKind.EVENT: io.BytesIO(FILE)}, by=world.reporter, wording=wording)

    event = Event.objects.get(source_id="e1")
    assert (event.sex, event.outcome) == ("female", "")


def test_an_empty_mapping_removes_the_words(world):
    keep_words(world.site, mapping=mapping(), by=world.lead)

    keep_words(world.site, mapping=b"{}", by=world.lead)

    assert not site_words_of(Site.objects.get(pk=world.site.pk).words)


def test_words_are_kept_by_leads_and_data_managers_only(world):
    keep_words(world.site, mapping=mapping(), by=world.manager)

    for person in (world.reporter, world.reviewer):
        with pytest.raises(NotPermitted):
            keep_words(world.site, mapping=mapping(), by=person)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"complication": {"Knick": "no-such-term"}}, "unknown-code"),
        ({"sex": {"W": "woman"}}, "unknown-code"),
        ({"sex": {"1234567": "female"}}, "identifier-found"),
    ],
)
def test_a_mapping_with_faults_is_not_kept(world, said, code):
    with pytest.raises(Refusal) as refusal:
        keep_words(world.site, mapping=mapping(**said), by=world.lead)

    assert [fault.code for fault in refusal.value.faults] == [code]
    assert Site.objects.get(pk=world.site.pk).words == {}


def test_words_on_which_two_own_sites_differ_are_not_applied(world):
    other = SiteFactory(code="OTHER-9")
    MembershipFactory(user=world.lead, site=other)
    keep_words(world.site, mapping=mapping(), by=world.manager)
    keep_words(other, mapping=mapping(sex={"W": "male", "M": "male"}), by=world.manager)

    words = wording_of(world.lead, mapping=b'{"outcome": {"tot": "fatal"}}').words

    assert words.words == {"sex": {"M": "male"}, "outcome": {"geheilt": "", "tot": "fatal"}}
