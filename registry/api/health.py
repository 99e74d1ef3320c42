"""Liveness and readiness for the load balancer; reads no rows."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from os import R_OK, W_OK, X_OK, access

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from registry.api.problems import DETAIL_OF, plain_problem
from registry.reporting.verifying import at_a_glance
from registry.shared_cache import cache_fault


def reads_only(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that answers GET and HEAD, OPTIONS with these, and other methods with a problem."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request)
        allowed = {"Allow": "GET, HEAD, OPTIONS"}
        if request.method == "OPTIONS":
            return HttpResponse(headers=allowed)
        return plain_problem(405, detail=DETAIL_OF[405], headers=allowed)

    return answered


@never_cache
@csrf_exempt
@reads_only
def live(request: HttpRequest) -> JsonResponse:
    """Says that the process answers; checks nothing."""
    return JsonResponse({"status": "ok"})


@never_cache
@csrf_exempt
@reads_only
def ready(request: HttpRequest) -> JsonResponse:
    """Checks that database (with every migration), folder, cache, keys and snapshots can be used.

    200, or 503 with the failed checks. Pages still answer while the cache fails, but request
    limits then hold for each process only; and while freezing fails, from older data. Files of
    snapshots are read again only where they look different than before.
    """
    database = _database_is_current()
    checks = {
        "database": database,
        "folder": access(settings.REGISTRY_VAR, R_OK | W_OK | X_OK),
        "cache": cache_fault() is None,
    }
    if database:
        checks |= at_a_glance()
    is_ready = all(checks.values())
    return JsonResponse(
        {
            "status": "ok" if is_ready else "unavailable",
            "checks": {name: "ok" if fine else "failed" for name, fine in checks.items()},
        },
        status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def _database_is_current() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:  # a closed connection is no DatabaseError
        return False
