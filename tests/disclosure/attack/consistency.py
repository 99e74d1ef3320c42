"""Attack A: the same question in other words, by another person, from another process."""

import csv
import hashlib
import io
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.cache import cache

from registry.snapshot import shelf
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.registries import Door

MEASURES = ("counts", "rates", "proportions", "comparison")
FIXED = frozenset({"group_by", "reference"})
"""Parameters that are no filters: their values are said once and have no groups."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """One random question: what it groups by and which values it selects."""

    measure: str
    group_by: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]

    def parameters(self) -> Pairs:
        """The plainest way to write it."""
        grouped = [("group_by", ",".join(self.group_by))] if self.group_by else []
        against = [("reference", "others")] if self.measure == "comparison" else []
        return [
            *grouped,
            *against,
            *((name, ",".join(values)) for name, values in self.where.items()),
        ]


def questions(asker: Asker, *, count: int, seed: int) -> Iterator[Question]:
    """Random questions over what is offered, refused ones among them."""
    chance = random.Random(seed)
    offered = [name for name in asker.offered() if asker.axis(name)]
    for _ in range(count):
        named = chance.sample(offered, chance.choice((1, 2, 2, 3)))
        named = list({asker.tree_of(name): name for name in named}.values())
        grouped = tuple(name for name in named if chance.random() < 0.4)
        where = {}
        for name in named:
            if name in grouped and chance.random() < 0.7:
                continue
            labels = list(asker.axis(name))
            several = asker.is_summable(name) and chance.random() < 0.8
            where[name] = tuple(
                chance.sample(labels, chance.randint(1, len(labels)) if several else 1)
            )
        yield Question(chance.choice(MEASURES), grouped, where)


def spellings(asker: Asker, question: Question, *, seed: int) -> Iterator[tuple[str, Pairs]]:
    """Other ways to write a question: permuted, doubled, repeated, by groups, said in full."""
    chance = random.Random(seed)
    plain = question.parameters()
    shuffled = [(name, ",".join(_shuffled(value.split(","), chance))) for name, value in plain]
    kept = [pair if name != "group_by" else (name, value)
            for pair, (name, value) in zip(shuffled, plain, strict=True)]  # fmt: skip
    yield "permuted", _shuffled([p if p[0] != "group_by" else plain[0] for p in kept], chance)
    doubled = [
        (name, value if name in FIXED else f"{value},{value.split(',')[0]}")
        for name, value in plain
    ]
    yield "doubled", doubled
    yield (
        "repeated",
        [
            (name, each)
            for name, value in plain
            for each in ((value,) if name == "group_by" else value.split(","))
        ],
    )
    if question.measure == "counts":
        yield "said in full", [*plain, ("counting", "patients"), ("labels", "code")]
    regrouped = [
        (name, ",".join(_by_groups(asker, name, value.split(",")))) for name, value in plain
    ]
    if regrouped != plain:
        yield "by groups", regrouped
    whole = [
        (name, value)
        for name, value in plain
        if name in FIXED or len(set(value.split(","))) < len(asker.axis(name))
    ]
    if whole != plain and all(asker.is_summable(name) for name in question.where):
        yield "without filters on everything", whole


def _shuffled(values: Sequence, chance: random.Random) -> list:  # type: ignore[type-arg]
    return chance.sample(list(values), len(values))


def _by_groups(asker: Asker, name: str, values: Sequence[str]) -> list[str]:
    """The same values, with a group's code in place of all its values where there is one."""
    if name in FIXED or asker.coarser(name) is None or name == "year":
        return list(values)
    labels = asker.axis(name)
    told = []
    for value in values:
        group = asker.group_of(name, value) or ""
        members = [label for label in labels if asker.group_of(name, label) == group]
        whole = set(members) <= set(values) and group not in labels
        told.append(group if whole else value)
    return list(dict.fromkeys(told))


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers that should be equal: which spelling, and the question."""

    spelling: str
    question: Question


def attack(
    door: Door,
    other: Door,
    asker: Asker,
    *,
    count: int,
    seed: int,
    again: Callable[[list[str], str], list[str]] | None = None,
) -> tuple[int, int, list[Difference]]:
    """Ask every question in every way; gives back questions, requests, and what differed.

    Bytes are compared whole, refusals too. again: gives the digests of many addresses, asked
    with the same key of a process that has just started; without it, this process forgets what
    it keeps.
    """
    asked = list(questions(asker, count=count, seed=seed))
    first: list[bytes] = []
    found: list[Difference] = []
    requests = 0
    for number, question in enumerate(asked):
        address = f"statistics/{question.measure}/"
        body = _body(door, address, question.parameters())
        first.append(body)
        for spelling, pairs in spellings(asker, question, seed=seed + number):
            requests += 1
            if _body(door, address, pairs) != body:
                found.append(Difference(spelling, question))
        requests += 3
        if _body(other, address, question.parameters()) != body:
            found.append(Difference("another person", question))
        if not _same_in_csv(door, address, question.parameters()):
            found.append(Difference("csv", question))
        cache.clear()
        if _body(door, address, question.parameters()) != body:
            found.append(Difference("cold cache", question))
    addresses = [f"statistics/{each.measure}/?{urlencode(each.parameters())}" for each in asked]
    if again is None:
        forget_everything()
    digests = (
        again(addresses, door.key) if again else [digest(door, address) for address in addresses]
    )
    for question, body, said in zip(asked, first, digests, strict=True):
        if said != hashlib.sha256(body).hexdigest():
            found.append(Difference("restart", question))
    requests += len(digests)
    return len(asked), requests, found


def forget_everything() -> None:
    """Throw away what a process keeps between requests: answers and open snapshots."""
    cache.clear()
    shelf.forget_open()


def digest(door: Door, address: str) -> str:
    """What stands for all of an answer: its status and its bytes."""
    return hashlib.sha256(_body(door, address, [])).hexdigest()


def _body(door: Door, address: str, pairs: Pairs) -> bytes:
    response = door.get(f"{address}?{urlencode(pairs)}" if pairs else address)
    return bytes([response.status_code % 256]) + response.content


def _same_in_csv(door: Door, address: str, pairs: Pairs) -> bool:
    """Whether the CSV has the very numbers of the JSON."""
    told = door.get(f"{address}?{urlencode(pairs)}")
    written = door.get(f"{address}?{urlencode([*pairs, ('format', 'csv')])}")
    if told.status_code != 200:
        return written.status_code == told.status_code
    rows = list(csv.reader(io.StringIO(written.content.decode())))
    body = told.json()
    names = [column["name"] for column in body["columns"]]
    return (
        rows[0] == names
        and len(rows) == len(body["rows"]) + 1
        and all(
            _equal(cell, row[name])
            for line, row in zip(rows[1:], body["rows"], strict=True)
            for cell, name in zip(line, names, strict=True)
        )
    )


def _equal(cell: str, value: object) -> bool:
    if value is None:
        return cell == ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(cell) == float(value)
    return cell.lstrip("'") == str(value)
