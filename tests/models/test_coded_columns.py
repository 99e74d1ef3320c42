"""Columns held to a code list by name: what migrations say, and what they notice."""

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.migrations.writer import MigrationWriter
from django.db.models import CheckConstraint

from registry.models import Event, Synonym, sealed
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


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL hashes a list once")
def test_sqlite_compares_codes_one_by_one_after_the_migration(monkeypatch):
    """A list after IN becomes a table, for every row that is written."""
    event = EventFactory(source_id="kept")
    rules_before = rules_in_force()
    with monkeypatch.context() as before, connection.schema_editor() as editor:
        before.setattr(CodedColumn, "constraint_sql", CheckConstraint.constraint_sql)
        editor.add_constraint(Event, rule_of())
    assert "organism" in listed_columns()

    migration = import_module("registry.migrations.0020_alternatives_of_codes")
    with connection.schema_editor() as editor:
        migration.make_anew(apps, editor)

    assert not listed_columns()
    assert rules_in_force() == rules_before
    assert Event.objects.get().public_id == event.public_id
    with pytest.raises(IntegrityError, match="event_organism_is_coded"):
        Event.objects.update(organism="elephant")


def listed_columns():
    """The coded columns of an event that SQLite holds against a list after IN."""
    listed = r'"registry_event_(\w+)_is_coded" CHECK \(\(*"\w+" IN \('
    return re.findall(listed, statements())


def rules_in_force():
    """The names of the constraints and indexes of events that the database has."""
    return sorted(re.findall(r'(?:CONSTRAINT|INDEX) "(\w+)"', statements()))


def statements():
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'registry_event'")
        return "\n".join(sql for (sql,) in cursor.fetchall() if sql)
