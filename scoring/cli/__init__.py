"""The command line. Each command is a file: it is given what was typed, prints, and returns its exit code.

`app` is the table of the commands; `arguments` says what each may be given, `ending` how each ends.
"""

import sys

_OURS = ("scoring", "competition")
_EXIT_USAGE = 2


def main() -> None:
    """Run the command line."""
    from scoring.cli.app import app

    try:
        app()
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] in _OURS:
            raise
        sys.stderr.write(_what_to_install(exc.name))
        sys.exit(_EXIT_USAGE)


def _what_to_install(module: str) -> str:
    return (
        f"This command needs what entries run with, and the Python package {module} is not installed. "
        f'Install it into the same environment: pip install "podium[check]"\n'
    )
