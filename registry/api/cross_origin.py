"""Which addresses pages of other origins may ask (CORS), beside those that a setting allows.

Nothing is allowed with cookies: a page of another origin needs a token as any script does.
"""

import re
from typing import Any

from django.http import HttpRequest

_OPEN_TO_ALL = re.compile(r"/api/v1/(complications|categories|codelists|schema)[./]")
"""The catalogue, the code lists and the schema, which need no token."""


def is_open_to_all(request: HttpRequest, **_signal: Any) -> bool:
    """Whether pages of any origin may ask this address; hears `check_request_enabled`."""
    reads = request.method in {"GET", "HEAD", "OPTIONS"}
    return reads and _OPEN_TO_ALL.match(request.path_info) is not None
