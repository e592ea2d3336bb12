"""The site: who may submit what and when, and the results. Never imports torch."""

from competition.celery import app as celery_app

__all__ = ["celery_app"]
