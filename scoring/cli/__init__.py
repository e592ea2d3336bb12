"""The command line. Each command is a file: it is given what was typed, prints, and returns its exit code.

`app` is the table of the commands; `arguments` says what each may be given, `ending` how each ends.
"""


def main() -> None:
    """Run the command line."""
    from scoring.cli.app import app

    app()
