"""Addresses for the load balancer."""

from django.urls import path

from registry.api.health import live, ready

app_name = "health"

urlpatterns = [
    path("live", live, name="live"),
    path("ready", ready, name="ready"),
]
