"""What a process needs that attacks one registry in a folder of its own."""

import logging
import os


def environment(var: str) -> dict[str, str]:
    """The environment of such a process: its own database and files, no throttle, no ticks."""
    kept = {name: text for name, text in os.environ.items() if name != "DATABASE_URL"}
    return kept | {
        "DEBUG": "1",
        "REGISTRY_VAR": var,
        "DJANGO_SETTINGS_MODULE": "registry_project.settings",
        "THROTTLE_USER": "1000000000/min",  # an attacker has years; this run has minutes
        "REGISTRY_ANSWER_TICK_MS": "0",  # but where time is measured
        "OPENBLAS_NUM_THREADS": "1",
    }


def begin() -> None:
    """Set Django up, and let it say little."""
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment(debug=False)
    logging.disable(logging.WARNING)
