"""Sessions that end after a time without use, and go on while they are used."""

import logging
import time

from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from registry.answers.unsaved import forget_old

SLID_AT = "slid_at"
"""In a session: when it was prolonged last, in seconds."""

SLIDES_AFTER = 300
"""Seconds after which a session in use is prolonged; a write for every request is too many."""

SLIDES_AGAIN = 60
"""Seconds to wait before that is tried again, where it failed."""

logger = logging.getLogger(__name__)


class SlidingSessions(SessionMiddleware):
    """Prolongs the session of somebody signed in where it was read, once in some minutes."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Saves a session that is due or was changed, once, and sends its cookie again.

        Unsaved answers that are too old go at that. A page that only reads must not fail, nor wait
        each time, for want of this write: where the database is busy, it is tried again in a
        minute or later.
        """
        if not _is_due(request):
            return super().process_response(request, response)
        session = request.session
        was_modified = session.modified
        session[SLID_AT] = int(time.time())
        forget_old(session)
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            if was_modified:
                raise
            logger.warning("A session was not prolonged: the database is busy, or it has ended.")
            cache.set(_waits(session.session_key), True, SLIDES_AGAIN)
            session.modified = False
            return super().process_response(request, response)


def _is_due(request: HttpRequest) -> bool:
    session = getattr(request, "session", None)
    if session is None or not (session.accessed and session.session_key):
        return False
    if "_auth_user_id" not in session or time.time() - session.get(SLID_AT, 0) < SLIDES_AFTER:
        return False
    return not cache.get(_waits(session.session_key))


def _waits(session_key: str | None) -> str:
    return f"slides-later-{session_key}"
