"""The addresses of the deployment: everything is the registry's."""

from django.urls import include, path

handler400 = "registry.api.problems.bad_request"
handler500 = "registry.admin.busy.server_error"
urlpatterns = [path("", include("registry.urls"))]
