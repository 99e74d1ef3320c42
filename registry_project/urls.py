"""The addresses of the deployment: everything is the registry's."""

from django.urls import include, path

handler400 = "registry.urls.bad_request"
handler500 = "registry.urls.server_error"
urlpatterns = [path("", include("registry.urls"))]
