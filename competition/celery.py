"""The Celery app. The broker carries wake-ups only; the database is the queue of record."""

import os
from collections.abc import Mapping
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")

app = Celery("podium")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.on_after_configure.connect  # type: ignore[untyped-decorator]  # Celery has no types
def make_broker_folders(sender: Celery, **_: object) -> None:
    """Make the folders that the filesystem transport expects, before anybody sends or listens."""
    options: Mapping[str, str] = sender.conf.broker_transport_options or {}
    for name in ("data_folder_in", "data_folder_out", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)


def lying(queue: str) -> int:
    """Return how many messages lie in a queue; none if the broker does not say, for then sending tells why."""
    with app.pool.acquire(block=True) as connection:
        try:
            with connection.channel() as channel:
                return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except (*connection.channel_errors, *connection.connection_errors):
            return 0
