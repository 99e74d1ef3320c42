"""Prints how many planted duplicates are found, and how many false alarms there are.

`python -m tests.intake.duplicates_study [events]`. A synthetic registry of events that are all
different is laid out in memory, and copies of some are planted as a second person would enter
them. Figures only, for docs/reviewing-events.md; tests/intake/test_duplicates.py holds the rules.
"""

import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import django

PLANTED = 0.05
"""The share of events that are entered twice."""


def main(events: int) -> None:
    """Plants duplicates of each kind, and counts what is found of them."""
    from registry import synthetic
    from registry.catalogue import read_catalogue
    from registry.intake.alike import Look, LookBlocks
    from registry.records import EventRecord, ImplantRecord

    by_code = read_catalogue().by_code
    siblings: dict[str, list[str]] = {}
    for term in by_code.values():
        siblings.setdefault(term.category, []).append(term.code)
    made = synthetic.registry(events=events, seed=11)
    implants = {(one.site, one.implant): one for one in made.implants()}
    sites = {site.code: number for number, site in enumerate(made.sites)}
    patients: dict[tuple[str, str], int] = {}
    keys: dict[tuple[str, str | None], int] = {}

    def details(record: EventRecord, implant: ImplantRecord | None) -> tuple[str, ...]:
        source = implant or record
        model = str((implant.model if implant else record.component_model) or "")
        pump = implant is None or implant.component.value == "pump"
        codes = (getattr(source, name) or "" for name in ("drug", "indication", "age_band", "sex"))
        return (model if pump else "", "" if pump else model, *map(str, codes))

    def looks() -> Iterator[tuple[Look, EventRecord]]:
        for pk, record in enumerate(made.events(), start=1):
            implant = implants.get((record.site, record.implant or ""))
            patient = implant and patients.setdefault(
                (record.site, implant.patient), len(patients) + 1
            )
            keys[record.site, record.source_id] = pk
            answers = tuple(
                "" if value is None else value
                for name in EventRecord.__dataclass_fields__
                if name not in ("site", "source_id", "implant", "caused_by", "complication")
                and (value := getattr(record, name)) is not None
            )
            yield (
                Look(
                    pk=pk,
                    site=sites[record.site],
                    patient=patient,
                    complications=frozenset({record.complication}),
                    category=by_code[record.complication].category,
                    year=record.year,
                    months=record.months_since_implant,
                    severity=int(record.severity) if record.severity else None,
                    outcome=str(record.outcome or ""),
                    cause=keys.get((record.site, record.caused_by)) if record.caused_by else None,
                    on_file=implant is not None,
                    details=details(record, implant),
                    answers=hash(answers),
                    answered=len(answers),
                ),
                record,
            )

    dice = random.Random(3)

    def again(look: Look, kind: str, pk: int) -> Look:
        """The same event as a second person enters it."""
        copy = replace(look, pk=pk, answers=look.answers if kind == "sent twice" else 0)
        if kind == "a month apart" and look.months is not None:
            return replace(copy, months=max(0, look.months + dice.choice((-1, 1))))
        if kind == "two months apart" and look.months is not None:
            return replace(copy, months=look.months + 2)
        if kind == "months left out":
            return replace(copy, months=None)
        if kind == "another code of the category":
            return replace(copy, complications=frozenset({dice.choice(siblings[look.category])}))
        if kind == "without its implant":
            return replace(copy, patient=None, on_file=False)
        if kind == "another grade":
            return replace(copy, severity=(look.severity or 2) % 4 + 1)
        return copy

    kinds = (
        *("sent twice", "entered twice, alike", "a month apart", "two months apart"),
        *("months left out", "another grade", "another code of the category"),
        "without its implant",
    )
    blocks, planted, false, why = LookBlocks(), [], 0, Counter[str]()
    count = 0
    for look, _record in looks():
        count += 1
        pairs = list(blocks.pairs(look))
        false += bool(pairs)
        why.update(reason.value for pair in pairs for reason in pair[3])
        blocks.keep(look)
        if dice.random() < PLANTED:
            planted.append(look)
    print(f"{count:,} events, all different: {false:,} flagged ({false / count:.2%}) {dict(why)}\n")
    print("| planted | copies | found |\n|---|---|---|")
    for kind in kinds:
        copies = [(look, again(look, kind, count + 1)) for look in planted]
        found = sum(any(pair[0] == look.pk for pair in blocks.pairs(copy)) for look, copy in copies)
        print(f"| {kind} | {len(copies)} | {found / len(copies):.1%} |")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    main(int(sys.argv[1]) if sys.argv[1:] else 20_000)
