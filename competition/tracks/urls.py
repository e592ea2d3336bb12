"""Addresses of the competition and track pages."""

from django.urls import path

from competition.tracks import views

urlpatterns = [
    path("", views.home, name="home"),
    path("competitions/<slug:slug>/", views.competition, name="competition"),
    path("tracks/<slug:slug>/", views.track, name="track"),
    path("tracks/<slug:slug>/track.yaml", views.track_yaml, name="track-yaml"),
    path("tracks/<slug:slug>/starter-kit.zip", views.starter_kit_zip, name="starter-kit"),
    path("env.txt", views.environment, name="environment"),
]
