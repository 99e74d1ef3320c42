"""Check that a cited answer can still be had, and what it is."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry import reporting
from registry.answers.files import as_csv, as_json, body_of
from registry.records import Refusal, Viewer

WRITERS = {"json": as_json, "csv": as_csv}
OPERATOR = Viewer(exact_everywhere=True, label="operator")
"""Whoever runs commands on the server reads its database; exact answers are logged all the same."""


class Command(BaseCommand):
    """Ask the question of a receipt again; exit 1 where the receipt does not hold."""

    help = (
        "Works out the answer of a receipt again, from data that are checked to the last row, and "
        "says whether it holds: what was asked, of which data, and the SHA-256 of the "
        "answer, which is that of the API's reply. With --format, writes the answer itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """A receipt, and the format to write its answer in."""
        parser.add_argument("receipt", help="meta.receipt of an answer, copied whole")
        parser.add_argument(
            "--format", choices=WRITERS, help="write the answer and nothing else, as a file"
        )

    def handle(self, *args: Any, receipt: str, format: str | None, **options: Any) -> None:
        """Say what the receipt stands for, or why it does not hold."""
        try:
            release = reporting.answer_again(receipt.strip(), viewer=OPERATOR, anew=True)
        except Refusal as refusal:
            said = " ".join(fault.detail for fault in refusal.faults)
            raise CommandError(f"The receipt does not hold. {said}") from refusal
        body = body_of(release)
        if format is not None:
            self.stdout.write(WRITERS[format](body).decode(), ending="")
            return
        for line in in_words(release.meta):
            self.stdout.write(line)
        for name, write in WRITERS.items():
            self.stdout.write(f"SHA-256 as {name}: {hashlib.sha256(write(body)).hexdigest()}")


def in_words(meta: Any) -> list[str]:
    """What a receipt stands for, line by line."""
    snapshot = meta["snapshot"]
    named = f"release {snapshot['label']}" if snapshot["label"] else "a working snapshot"
    return [
        "The receipt holds.",
        f"Question: {meta['title']}",
        f"Counted: {meta['counting_in_words']}",
        f"Data: {named}, as of {meta['data_as_of'] or 'no entry yet'}, snapshot {snapshot['id']}",
        f"Profile: {meta['profile']}",
        f"Code: version {meta['code_version']}",
        "Worked out again from a snapshot whose files, signature and rows hold.",
    ]
