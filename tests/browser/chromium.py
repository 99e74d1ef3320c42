"""Where Debian's Chromium is."""

from pathlib import Path

BROWSERS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
"""The same engine without and with the windows of a desk; without, it takes three quarters."""

CHROMIUM = next((browser for browser in BROWSERS if browser.exists()), None)
