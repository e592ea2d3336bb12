"""Addresses of the leaderboard."""

from django.urls import path

from competition.leaderboard import views

urlpatterns = [
    path("tracks/<slug:slug>/leaderboard/", views.leaderboard, name="leaderboard"),
    path("tracks/<slug:slug>/leaderboard.csv", views.leaderboard_csv, name="leaderboard-csv"),
    path("tracks/<slug:slug>/leaderboard.json", views.leaderboard_json, name="leaderboard-json"),
]
