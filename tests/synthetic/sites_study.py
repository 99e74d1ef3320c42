"""How often rates' limits hold where sites differ: `python -m tests.synthetic.sites_study`."""

from tests.statistics.test_site_dispersion import coverage

REGISTRIES = 4000

if __name__ == "__main__":
    print("| sites | coefficient of variation of their rates | robust to sites | Garwood |")
    print("|---|---|---|---|")
    for sites in (10, 15, 30, 60):
        for spread in (1e-4, 0.25, 0.5):
            robust, plain = coverage(sites, spread, registries=REGISTRIES, seed=sites)
            print(f"| {sites} | {spread:g} | {robust:.1%} | {plain:.1%} |", flush=True)
