"""The Celery app. The broker carries wake-ups only; the database is the queue of record."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")

app = Celery("podium")
app.config_from_object("django.conf:settings", namespace="CELERY")
