"""`python -m tests.synthetic.told_cells_study [EVENTS ...]` prints what protected tables tell.

--sites: of each registry. --registries: of each size, whose cells are counted together.
"""

import argparse
import tempfile
from pathlib import Path

from tests.synthetic.own_database import in_own_database

EVENTS, SITES = (5_000, 100_000), 12


def main() -> None:
    """Make registries of each size, in a database of their own, and ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("events", type=int, nargs="*", default=EVENTS)
    parser.add_argument("--sites", type=int, default=SITES)
    parser.add_argument("--registries", type=int, default=1)
    given = parser.parse_args()
    with in_own_database():
        from registry.synthetic import registry
        from tests.synthetic.frozen import frozen_synthetic
        from tests.synthetic.told_cells import TABLES, Cells, TableAsked, cells_of, lines_of

        for size in given.events:
            found: dict[TableAsked, list[Cells | None]] = {table: [] for table in TABLES}
            for seed in range(1, given.registries + 1):
                with tempfile.TemporaryDirectory() as folder:
                    made = registry(events=size, sites=given.sites, seed=seed)
                    frozen = frozen_synthetic(Path(folder), made)
                    for table in TABLES:
                        found[table].append(cells_of(table, frozen))
            print(f"\n{size:,} events, {given.sites} sites, {given.registries} registries\n")
            print("\n".join(lines_of(found)), flush=True)


if __name__ == "__main__":
    main()
