"""A made-up registry with known truth: for demonstrations, benchmarks and checks of the statistics.

Pure: no database, no settings. Nothing in it describes a real person, site or product.
"""

from registry.synthetic.cohort import Cohort, cohort
from registry.synthetic.generator import SyntheticRegistry, registry
from registry.synthetic.sites import SyntheticSite

__all__ = ["Cohort", "SyntheticRegistry", "SyntheticSite", "cohort", "registry"]
