"""`python -m scoring.worker.clock`: print how many seconds this machine's clock is ahead of the database's."""

from __future__ import annotations

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")
    django.setup()
    from competition.clock import clock_ahead_s  # needs settings

    sys.stdout.write(f"{clock_ahead_s()}\n")
