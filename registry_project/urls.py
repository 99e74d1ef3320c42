"""The addresses of the deployment: everything is the registry's."""

from django.urls import include, path

urlpatterns = [path("", include("registry.urls"))]
