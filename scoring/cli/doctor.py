"""`podium doctor`: what this machine lacks."""

from __future__ import annotations

from scoring.cli import machine
from scoring.cli.outcome import EXIT_FAULT, EXIT_OK
from scoring.cli.screen import Screen


def examine() -> int:
    """Print each check of this machine; return the exit code."""
    checks = machine.examine()
    Screen(quiet=False).show_checks(checks)
    return EXIT_OK if all(item.ok for item in checks) else EXIT_FAULT
