"""The registry as one command: `pump-registry`, or `python -m registry_project`.

Without the name of a management command it makes a demo registry in REGISTRY_VAR, where there is
none yet, and serves it; else it is what manage.py is in a checkout.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from django.core.management import call_command, execute_from_command_line

from registry.records.outages import outage_of
from registry.records.waiting import WAITED_TOO_LONG, waited_too_long

SERVER = ("--threads", "4", "--no-control-socket", "--log-level", "warning")
WORKERS = "2"


def main(argv: Sequence[str] | None = None) -> None:
    """Serve a demo registry, or run a management command."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and not arguments[0].startswith("-"):
        manage([sys.argv[0], *arguments])
    else:
        serve_demo(arguments)


def manage(argv: list[str]) -> None:
    """Run a management command; what it waited for, or what is away, is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_project.settings")
    try:
        execute_from_command_line(argv)
    except Exception as error:
        if waited_too_long(error):
            sys.exit(WAITED_TOO_LONG)
        if outage := outage_of(error):
            sys.exit(f"{outage.title}: {str(error).partition(chr(10))[0]}")
        raise


def serve_demo(arguments: Sequence[str]) -> None:
    """Make what is missing of a demo registry, and become its server."""
    parser = argparse.ArgumentParser(
        prog="pump-registry",
        description="Serve a demo registry on this machine, or run a management command: "
        "pump-registry help lists them.",
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--events", type=int, default=5000, help="how many to make up")
    chosen = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_project.settings")
    os.environ["DEBUG"] = "1"
    os.environ.setdefault("WEB_CONCURRENCY", WORKERS)
    import django

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("demo", port=chosen.port, events=chosen.events)
    sys.stdout.flush()
    bind = f"127.0.0.1:{chosen.port}"
    server = [sys.executable, "-m", "gunicorn", "registry_project.wsgi", "--bind", bind, *SERVER]
    # No word of the command is from outside.
    os.execv(sys.executable, server)  # noqa: S606  # nosec B606


if __name__ == "__main__":
    main()
