"""What the server's log holds: a line for a refusal, and tracebacks of failures alone."""

import logging
from typing import Any


class RefusalsInALine(logging.Filter):
    """Takes the traceback off a reply under 500: nothing has failed, and it fills the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record pass."""
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True


def logging_at(level: str) -> dict[str, Any]:
    """The setting LOGGING: everything of this level and above, on stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"refusals": {"()": "registry_project.logs.RefusalsInALine"}},
        "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["refusals"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
    }
