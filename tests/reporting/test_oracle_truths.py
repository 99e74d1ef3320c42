"""The true numbers behind protected answers are what plain loops over the sent rows find."""

from collections.abc import Iterator, Mapping
from random import Random

import pytest

from registry.disclosure import Form, Node, NodeTruth, Policy, Tree
from registry.disclosure.trees import Level, Place
from registry.reporting.asking import freshness
from registry.reporting.protected.trees import trees_of
from registry.reporting.protected.truths import truths_of
from registry.vocabulary import CountingRule
from tests.reporting.test_oracle import (
    QUESTIONS,
    SEEDS,
    SHOWN,
    Questions,
    World,
    imported,
    selection_of,
)

POLICY = Policy()
NAMES = tuple(offer.name for offer in POLICY.offered)
FORMS = (
    (Form.COUNTS, CountingRule.PATIENTS),
    (Form.COUNTS, CountingRule.DEVICES),
    (Form.COUNTS, CountingRule.FIRST_EVENT),
    (Form.PROPORTIONS, CountingRule.PATIENTS),
    (Form.RATES, CountingRule.FIRST_EVENT),
)


def drawn_node(questions: Questions, trees: Mapping[str, Tree], dice: Random) -> Node:
    """A node of up to three dimensions, at values that mostly occur or at their groups."""
    places = {}
    for name in dice.sample(NAMES, dice.choice((0, 1, 1, 2, 2, 3))):
        tree = trees[name]
        occurring = [value for value in questions.found.get(name, ()) if value in tree.values]
        value = dice.choice(occurring or tree.values)
        places[name] = Place(Level.VALUE, value)
        if tree.group_of and dice.random() < 0.5:
            places[name] = Place(Level.GROUP, tree.group_of[value])
    return Node.at(places)


def differences(
    world: World,
    nodes: Mapping[Node, NodeTruth],
    trees: Mapping[str, Tree],
    form: Form,
    counting: CountingRule,
) -> Iterator[str]:
    """Each way in which a truth differs from what the oracle finds."""
    oracle = world.oracle
    for node, truth in nodes.items():
        where = {name: ",".join(values) for name, values in node.where(trees).items()}
        cell = selection_of({**where, "counting": counting.value})
        if form is Form.COUNTS:
            told, found = (truth.counted.n,), (oracle.count(cell),)
        elif form is Form.PROPORTIONS:
            told, found = (truth.counted.n, truth.population.n), oracle.proportion(cell)
        else:
            parts = oracle.rate(cell).of(declared=False)
            if truth.exposure is None or not parts.exposure:
                continue  # no denominator: nothing of it is published
            told = (truth.counted.n, truth.exposure.total)
            found = (parts.events, pytest.approx(parts.exposure, rel=1e-9))
        if told != found:
            yield f"{form} by {counting} {where}: told {told}, found {found}"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_truths_are_what_plain_loops_find(seed: int) -> None:
    world = imported(seed)
    frozen = freshness.current()
    trees = trees_of(frozen.store.manifest.terms, data_as_of=frozen.data_as_of, policy=POLICY)
    dice = Random(seed)
    questions = Questions(world.oracle, dice)

    found, filled = [], 0
    for form, counting in FORMS:
        nodes = [drawn_node(questions, trees, dice) for _ in range(QUESTIONS)]
        truths = truths_of(nodes, store=frozen.store, trees=trees, form=form, counting=counting)
        found += differences(world, truths, trees, form, counting)
        filled += sum(truth.counted.n > 0 for truth in truths.values())

    assert not found, "\n".join([f"{len(found)} truths differ:", *found[:SHOWN]])
    assert filled > QUESTIONS
