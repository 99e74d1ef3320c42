"""The page of a release's yearly report."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.asking import Refused, may_look, without_blanks
from registry.answers.printed import document_of
from registry.answers.yearly import as_everybody, report_of
from registry.filters import parse_query
from registry.records import BadQuery, Fault
from registry.reporting import NOT_TAKEN
from registry.vocabulary import Measure

ONLY = "A report is of a whole release: give release, and nothing else."


@require_safe
def yearly_report(request: HttpRequest) -> HttpResponse:
    """The report of `?release=`, by default of the newest; protected for every reader.

    Redirects anonymous callers to sign in unless statistics are public.
    """
    if not may_look(request):
        return redirect_to_login(request.get_full_path())
    viewer = as_everybody(reporting.viewer_of(request.user))
    labels = [str(each["label"]) for each in reporting.snapshots(viewer)]
    newest = labels[0] if labels else ""
    params = without_blanks(request.GET)
    try:
        named = parse_query(params, measure=Measure.RATES).release
        if set(params) - {"release"}:
            raise BadQuery(Fault("", NOT_TAKEN, ONLY))
        label = named or newest
        report = report_of(label, viewer)
    except BadQuery as refusal:
        return _refused(request, Refused.because(refusal))
    if report.refused:
        return _refused(request, report.refused)
    known = str(report.meta["snapshot"]["label"])
    address = request.build_absolute_uri(f"{reverse('report')}?release={known}")
    others = [each for each in labels if each != known]
    document = document_of(report, address=address, others=others, newest=newest)
    reply = HttpResponse(document.html)
    reply["Content-Security-Policy"] = (
        f"{document.policy}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return reply


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    context = {"room": "dashboard", "page": "report", "refusal": refused}
    return render(request, "registry/report_refused.html", context, status=refused.status)
