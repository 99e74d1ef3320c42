"""The addresses of the API; each ends with a slash, and that of a file with its format."""

from django.urls import path, re_path

from registry.api import (
    bulk,
    catalogue,
    catalogue_files,
    codelists,
    event_history,
    event_steps,
    events,
    exposures,
    implants,
    patients,
    queries,
    receipts,
    schema,
    sites,
    snapshots,
    statistics,
    tokens,
)
from registry.api.unknown import UnknownAddress

app_name = "api"

urlpatterns = [
    path("complications.csv", catalogue_files.CatalogueFile.as_view(), name="complications-file"),
    path("codelists.csv", catalogue_files.CodelistsFile.as_view(), name="codelists-file"),
    path("codelists/<str:name>.csv", catalogue_files.CodelistFile.as_view(), name="codelist-file"),
    path("complications/", catalogue.Complications.as_view(), name="complications"),
    path("complications/<str:code>/", catalogue.ComplicationDetail.as_view(), name="complication"),
    path("categories/", catalogue.Categories.as_view(), name="categories"),
    path("codelists/", codelists.Codelists.as_view(), name="codelists"),
    path("codelists/<str:name>/", codelists.CodelistDetail.as_view(), name="codelist"),
    path("sites/", sites.Sites.as_view(), name="sites"),
    path("sites/<str:code>/close-round/", sites.CloseRound.as_view(), name="close-round"),
    path("sites/<str:code>/implants-from/", sites.ImplantsFrom.as_view(), name="implants-from"),
    path("sites/<str:code>/key-pattern/", sites.SiteKeys.as_view(), name="key-pattern"),
    path("patients/", patients.Patients.as_view(), name="patients"),
    path("patients/bulk/", bulk.BulkPatients.as_view(), name="patients-bulk"),
    path("patients/<uuid:public_id>/", patients.PatientDetail.as_view(), name="patient"),
    path("implants/", implants.Implants.as_view(), name="implants"),
    path("implants/bulk/", bulk.BulkImplants.as_view(), name="implants-bulk"),
    path("implants/<uuid:public_id>/", implants.ImplantDetail.as_view(), name="implant"),
    path("exposures/", exposures.Exposures.as_view(), name="exposures"),
    path("exposures/bulk/", bulk.BulkExposures.as_view(), name="exposures-bulk"),
    path("exposures/<uuid:public_id>/", exposures.ExposureDetail.as_view(), name="exposure"),
    path("events/", events.Events.as_view(), name="events"),
    path("events/bulk/", bulk.BulkEvents.as_view(), name="events-bulk"),
    path("events/<uuid:public_id>/", events.EventDetail.as_view(), name="event"),
    path(
        "events/<uuid:public_id>/history/",
        event_history.EventHistory.as_view(),
        name="event-history",
    ),
    *(
        path(f"events/<uuid:public_id>/{step}/", view.as_view(), name=f"event-{step}")
        for step, view in event_steps.STEPS.items()
    ),
    path("queries/", queries.Queries.as_view(), name="queries"),
    path("queries/<uuid:public_id>/", queries.QueryDetail.as_view(), name="query"),
    path("queries/<uuid:public_id>/answer/", queries.AnswerQuery.as_view(), name="query-answer"),
    path("queries/<uuid:public_id>/close/", queries.CloseQuery.as_view(), name="query-close"),
    *(
        path(f"statistics/{measure.value}/", view.as_view(), name=measure.value)
        for measure, view in statistics.STATISTICS.items()
    ),
    path("statistics/dimensions/", statistics.Dimensions.as_view(), name="dimensions"),
    path("statistics/receipts/<str:receipt>/", receipts.ReceiptDetail.as_view(), name="receipt"),
    path("snapshots/", snapshots.Snapshots.as_view(), name="snapshots"),
    path("snapshots/<str:name>/", snapshots.SnapshotDetail.as_view(), name="snapshot"),
    path(
        "snapshots/<str:name>/dictionary.csv",
        snapshots.SnapshotDictionary.as_view(),
        name="dictionary",
    ),
    path("tokens/", tokens.Tokens.as_view(), name="tokens"),
    path("tokens/<uuid:public_id>/", tokens.TokenDetail.as_view(), name="token"),
    path("schema/", schema.Schema.as_view(), name="schema"),
    path("docs/", schema.Docs.as_view(), name="docs"),
    re_path(r"^.*$", UnknownAddress.as_view()),
]
