"""Check the audit trail for alterations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.models.heads import Head, heads_file, kept_heads
from registry.models.sign_again import sign_trail
from registry.models.verification import Break, Verified, verify_audit
from registry.records import CannotSeal


class Command(BaseCommand):
    """Recompute every seal; exit 1 and name what does not hold."""

    help = (
        "Recomputes seals, signatures and the digests of all history rows, and compares them with "
        "the rows and with the heads kept outside the database. What each break means stands in "
        "docs/security.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Heads to compare with, and whether to sign."""
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help="A head that you noted earlier; may be given several times.",
        )
        parser.add_argument(
            "--sign",
            action="store_true",
            help="Sign seals that are not signed under the server's key, once after upgrading or "
            "after a change of REGISTRY_KEY_SEALS; only where all else holds.",
        )

    def handle(self, *args: Any, head: list[str], sign: bool, **options: Any) -> None:
        """Print how much was checked and the newest head, or every break."""
        try:
            noted = [Head.read(text) for text in head]
            if sign:
                self._sign()
            found = verify_audit(known_heads=noted)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except CannotSeal as refusal:
            raise CommandError(" ".join(fault.detail for fault in refusal.faults)) from refusal
        if found.breaks:
            raise CommandError("\n".join([*map(_told, found.breaks), _how_many_hold(found)]))
        self.stdout.write(f"{found.seals} seals and {found.rows} history rows hold.")
        if found.redacted:
            self.stdout.write(
                f"Under {found.redacted} of them a key was redacted, as later seals say."
            )
        self._say_heads(found)

    def _sign(self) -> None:
        _, signed = sign_trail()
        self.stdout.write(f"Signed {signed} seals.")

    def _say_heads(self, found: Verified) -> None:
        if heads_file().exists():
            kept = kept_heads()
            self.stdout.write(f"{kept.count} heads kept outside are those of the seals.")
            if kept.restored:
                last = kept.restored[-1]
                self.stdout.write(
                    f"{kept.given_up} heads were given up in {len(kept.restored)} restores, the "
                    f"last one of seal {last.number}, on {last.at}."
                )
            if kept.unreadable:
                self.stdout.write(f"{kept.unreadable} lines of the file of heads are no heads.")
        if found.head:
            self.stdout.write(f"Head: {found.head}")


def _told(one: Break) -> str:
    place = "Outside every seal" if one.seal is None else f"Seal {one.seal}"
    return f"{place}: {one.what}"


def _how_many_hold(found: Verified) -> str:
    return f"The first {found.seals} seals hold as a chain."
