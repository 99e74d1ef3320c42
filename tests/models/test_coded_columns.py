"""Columns held to a code list by name: what migrations say, and what they notice."""

import pytest
from django.db import IntegrityError, transaction
from django.db.migrations.writer import MigrationWriter

from registry.models import Synonym, sealed
from registry.models.rules import CodedColumn, coded, edition_of
from registry.vocabulary import Outcome, Sex, TermLanguage
from tests.factories import EventFactory

NAME = "registry_event_outcome_is_coded"


def rule_of(**other):
    return CodedColumn(
        **{"field": "outcome", "codes": Outcome, "blank": True, "name": NAME} | other
    )


def test_migration_names_the_list_and_none_of_its_codes():
    written, imports = MigrationWriter.serialize(rule_of())

    assert "codes='registry.vocabulary.event.Outcome'" in written
    assert f"edition='{edition_of(Outcome)}'" in written
    assert "recovered" not in written
    assert imports == {"import registry.models.rules"}


def test_changed_list_is_noticed_by_its_edition():
    stored = rule_of(edition="00000000")

    assert stored != rule_of()
    assert stored.deconstruct()[2]["edition"] == "00000000"
    assert rule_of(codes="registry.vocabulary.event.Outcome") == rule_of()
    assert edition_of(Outcome) != edition_of(Sex)


def test_field_leaves_its_choices_out_of_migrations():
    written, _imports = MigrationWriter.serialize(Synonym._meta.get_field("language"))

    assert written == "models.CharField(max_length=40)"
    assert Synonym._meta.get_field("language").choices == TermLanguage.choices()


@pytest.mark.django_db
@pytest.mark.postgresql
@pytest.mark.parametrize("language", ["de", "es", ""])
def test_database_holds_a_column_to_its_list(language):
    complication = EventFactory().complication
    kept = Synonym(key="k", complication=complication, language=language, term="t")

    def store():
        with transaction.atomic(), sealed(by=None, action="test") as seal:
            seal.save(kept)

    if language == "de":
        store()
        assert Synonym.objects.get().language == "de"
        return
    with pytest.raises(IntegrityError, match="synonym_language_is_coded"):
        store()


def test_blank_is_taken_where_it_is_allowed():
    assert "" in coded("sex", Sex).condition.children[0][1]
    assert "" not in coded("sex", Sex, blank=False).condition.children[0][1]
