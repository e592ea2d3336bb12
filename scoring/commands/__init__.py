"""The commands of `podium`, one a file: each is given what was typed, prints, and returns its exit code.

`scoring.cli` is the table of them; `arguments` says what each may be given, `outcome` how each ends.
"""
