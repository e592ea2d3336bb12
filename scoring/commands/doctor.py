"""`podium doctor`: what this machine lacks."""

from __future__ import annotations

from scoring import doctor
from scoring.commands.outcome import EXIT_FAULT, EXIT_OK
from scoring.screen import Screen


def examine() -> int:
    """Print each check of this machine; return the exit code."""
    checks = doctor.examine()
    Screen(quiet=False).show_checks(checks)
    return EXIT_OK if all(item.ok for item in checks) else EXIT_FAULT
