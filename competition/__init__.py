"""The site: who may submit what, when, and what came of it. Never imports torch."""

from competition.celery import app as celery_app

__all__ = ["celery_app"]
