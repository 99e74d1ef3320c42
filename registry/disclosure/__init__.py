"""Disclosure control: protects what leaves the registry for anyone but its own sites and staff.

Pure: no framework, no files but the frozen table, no clock. Callers answer a question in five
steps:

1. The spec of a measure says what is counted, and in which `Form`; it is no matter of this room.
2. `plan(query, trees, policy)` gives rows of nodes; `plan.nodes` is every node once. `trees` come
   from `vocabulary_tree`, `year_tree`, and `Tree.grouped` or `Tree.flat` for the tables.
   `canonical` gives the question's canonical form, equal for equal plans.
3. For each node, `node.where(trees)` gives the values to select; the store counts distinct units
and sums their two keys (written at freeze by `record_keys`), hand by hand, and returns a
`NodeTruth`. `hands` says which sites are one hand.
4. `Protection.under(K2, release=...).show(truth)` gives a `ShownNode`: after
this step no true number is left.
5. `count_row`, `rate_row` and `proportion_row` take the shown nodes of a row; `life_table` takes
   the `CurveTruth` of a single node.

A total is the plan of the same question without group_by, a node of its own. Refusals, rows and
their order depend on the question and the trees alone, never on recorded data.
"""

from registry.disclosure.combining import combinable
from registry.disclosure.derived import (
    CountRow,
    ProportionRow,
    RateParts,
    RateRow,
    count_row,
    hidden_as,
    proportion_row,
    rate_parts,
    rate_row,
)
from registry.disclosure.hands import hands
from registry.disclosure.life_table import (
    BOUNDARIES,
    CurvePoint,
    CurveTruth,
    incidence_table,
    life_table,
    mean_of_shown,
)
from registry.disclosure.nodes import Node, Plan, PlannedRow, canonical, plan
from registry.disclosure.perturbation import record_key, record_keys
from registry.disclosure.policy import Form, Policy
from registry.disclosure.shown import (
    NOBODY,
    Keyed,
    NodeTruth,
    Protection,
    ShownExposure,
    ShownNode,
)
from registry.disclosure.trees import Tree, vocabulary_tree, window_tree, year_tree

__all__ = [
    "BOUNDARIES",
    "NOBODY",
    "CountRow",
    "CurvePoint",
    "CurveTruth",
    "Form",
    "Keyed",
    "Node",
    "NodeTruth",
    "Plan",
    "PlannedRow",
    "Policy",
    "ProportionRow",
    "Protection",
    "RateParts",
    "RateRow",
    "ShownExposure",
    "ShownNode",
    "Tree",
    "canonical",
    "combinable",
    "count_row",
    "hands",
    "hidden_as",
    "incidence_table",
    "life_table",
    "mean_of_shown",
    "plan",
    "proportion_row",
    "rate_parts",
    "rate_row",
    "record_key",
    "record_keys",
    "vocabulary_tree",
    "window_tree",
    "year_tree",
]
