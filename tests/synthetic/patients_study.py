"""How often curves' limits hold where patients' devices fail together.

`python -m tests.synthetic.patients_study 2000` prints the table of docs/methods.md.
"""

import sys

from tests.statistics.patients import coverage

if __name__ == "__main__":
    registries = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print("| patients | curve | devices fail together | robust to patients | independent |")
    print("|---|---|---|---|---|")
    for patients in (50, 200, 1000):
        for incidence in (False, True):
            for frail in (False, True):
                robustly, independently = coverage(
                    registries=registries,
                    patients=patients,
                    seed=patients,
                    incidence=incidence,
                    frail=frail,
                )
                curve, together = "incidence" if incidence else "freedom", "yes" if frail else "no"
                told = f"{robustly:.1%} | {independently:.1%}"
                print(f"| {patients} | {curve} | {together} | {told} |", flush=True)
