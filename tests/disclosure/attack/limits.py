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
