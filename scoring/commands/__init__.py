"""Commands of `podium` that are more than a line; `scoring.cli` parses their arguments."""
