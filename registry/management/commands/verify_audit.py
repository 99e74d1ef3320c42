"""Check the audit trail for alterations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.models.verification import verify_trail


class Command(BaseCommand):
    """Recompute every seal; exit 1 and name the first that does not hold."""

    help = "Recomputes the chain of seals and the digests of all history rows."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how much was checked, or the first break."""
        found = verify_trail()
        if found.first_break is None:
            self.stdout.write(f"{found.seals} seals and {found.rows} history rows hold.")
            if found.redacted:
                self.stdout.write(
                    f"Under {found.redacted} of them a key was redacted, as later seals say."
                )
            return
        seal, what = found.first_break.seal, found.first_break.what
        place = "Outside every seal" if seal is None else f"Seal {seal}"
        raise CommandError(f"{place}: {what} The {found.seals} seals before it hold.")
