#!/usr/bin/env python3
"""Run the registry's management commands."""

import sys

from registry_project.__main__ import manage

if __name__ == "__main__":
    manage(sys.argv)
