"""What an attack may learn at most; the mean of five registries is held to it."""

LIMIT = {"C": 5.0, "D": 5.0, "E": 20.0, "F": 20.0, "G": 20.0, "H": 20.0}
"""Exact value of a small cell: points above always naming the commonest size."""

MOST_SURE = 0.01
"""Share of small cells of which the attacker is more than 90 % sure, and right."""

MOST_FOLLOWED = 0.05
"""I: share of exposure differences that give a device's follow-up within a month."""

NAIVE_LOSES = 0.95
"""Share of the naive server's small cells that an attack must name, or it proves nothing."""

NO_BETTER = 5.0
"""E: points by which the mean of 1000 parents may seem better than that of 10, by chance."""

MOST_BY_COMPLICATIONS = 0.65
"""Persons between releases at 10 % growth: AUC over tables that name complications."""

MOST_BY_CATEGORIES = 0.68
"""The same over tables that name categories or none."""

MOST_FOUND = 0.08
"""The same: persons recognised where 2 % of the others are taken for changed."""

MOST_BY_LENS = 0.12
"""AUC that 20 or 40 invented records at one hand may add."""

MOST_NAMED = 10.0
"""Attributes of single newcomers: points above always naming the commonest value."""

MOST_SURE_AFTER = {1: 0.01, 4: 0.08}
"""Share of hidden cells of 1 to 4 of whose size he is sure, and right, after so many releases."""

CHANGE_LOSES = 0.80
"""AUC that the negative controls must lose by."""
