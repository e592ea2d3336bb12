"""The worker: claims evaluations, has them scored and records the results. The edge to Celery and the site."""
