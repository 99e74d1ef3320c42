"""Notes protected questions, so that who crawls all of them is seen; nothing is refused for it."""

import hashlib
import logging

from django.core.cache import cache
from django.db import OperationalError, transaction

from registry.models import AccessLog
from registry.records import Release, Viewer
from registry.vocabulary import Measure

NOTED_AS = "protected-statistics"
ONCE_IN = 24 * 3600
"""Seconds in which one person's question is noted once: dashboards ask the same every minute."""

logger = logging.getLogger(__name__)


def note_question(release: Release, *, measure: Measure, viewer: Viewer) -> None:
    """Write down what somebody signed in asked, once a day and question.

    The public is everybody, and is not noted. A database that is too busy loses a note, not an
    answer.
    """
    if viewer.user_id is None:
        return
    asked = f"{measure.value} {release.query.canonical()}"
    about = f"{viewer.user_id} {release.meta['snapshot']} {asked}"
    key = f"asked-{hashlib.sha256(about.encode()).hexdigest()}"
    if not cache.add(key, True, ONCE_IN):
        return
    try:
        with transaction.atomic():
            AccessLog.objects.create(
                user_id=viewer.user_id, action=NOTED_AS, what=asked, count=len(release.rows)
            )
    except OperationalError:
        logger.warning("A protected question was not noted: the database is busy.")
        cache.delete(key)
