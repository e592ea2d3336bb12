"""The worker: claims evaluations, has them scored, records what came of it. The edge to Celery and the site."""
