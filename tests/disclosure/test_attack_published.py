"""Persons between releases, asked of the registry itself over HTTP with a researcher's token."""

import numpy as np
import pytest
from django.core.cache import cache
from django.test.utils import override_settings

from registry.models import Event
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.persons import AFTER, Change, pairs
from tests.disclosure.attack.published import (
    Published,
    collect_published,
    publish,
    world_of_database,
)
from tests.disclosure.attack.registries import door_of, fill

pytestmark = pytest.mark.django_db

KNOWN = frozenset({"complication", "sex"})
OTHERWISE_TOLD = (
    ("complication", "wide_window"),
    ("complication", "intervention"),
    ("complication", "site"),
    ("complication", "cause"),
    ("category", "cause_category"),
    ("category", "pump_family"),
)


def test_persons_are_looked_at_over_http_and_the_database_is_as_before(tmp_path):
    change = Change(planted=2, bands=("1 to 10", "11 to 40", "41 to 150"))
    cache.clear()
    with override_settings(REGISTRY_VAR=tmp_path, REGISTRY_ANSWER_TICK_MS=0):
        fill(events=500, seed=3)
        door = door_of("researcher", "researcher")
        before = list(Event.objects.order_by("pk").values_list("pk", "state", "complication_id"))

        found = collect_published(
            door, seed=1, changes={"10 %": change}, many=2, known=KNOWN, newcomers=False
        )

        seen = found.seen["10 %"]
        assert set(seen) == {"arrival", "withdrawal", "correction"}
        for each in seen.values():
            assert each.changed.shape == each.same.shape == (2, len(each.part), 2)
            assert (~np.isnan(each.changed)).any()
        after = list(Event.objects.order_by("pk").values_list("pk", "state", "complication_id"))
        assert after == before

        world = world_of_database()
        pair = next(pairs(world, Change(), seed=1, many=2))
        labels = {AFTER: publish(pair, AFTER, "after")}
        server = Published(Asker(door), world.labels, labels)
        records = pair.worlds[AFTER].at(pair.worlds[AFTER].in_totals)
        true = [
            len(set(records.patient[records.columns["category"] == code].tolist()))
            for code in range(len(world.labels["category"]))
        ]
        shown = server.table(("category",), AFTER)
        assert (~np.isnan(shown)).sum() >= 2
        assert np.nanmax(np.abs(shown - true)) < 15  # noise is smaller
        for names in OTHERWISE_TOLD:
            assert server.table(names, AFTER).shape == world.size(names)
        assert (~np.isnan(server.table(("category", "wide_window"), AFTER))).any()
    cache.clear()
