#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")
    # Commands may take long over a statement. They wait for a lock no longer than others do: a migration
    # that waits has everybody else wait behind it, so it gives up and is run again.
    for limit in ("DATABASE_STATEMENT_TIMEOUT_S", "DATABASE_IDLE_TRANSACTION_TIMEOUT_S"):
        os.environ.setdefault(limit, "0")
    execute_from_command_line(sys.argv)
