#!/usr/bin/env python3
"""Run the registry's management commands."""

import os
import sys

from django.core.management import execute_from_command_line

from registry.records.outages import outage_of
from registry.records.waiting import WAITED_TOO_LONG, waited_too_long

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_project.settings")
    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        if waited_too_long(error):
            sys.exit(WAITED_TOO_LONG)
        if outage := outage_of(error):
            sys.exit(f"{outage.title}: {str(error).partition(chr(10))[0]}")
        raise
