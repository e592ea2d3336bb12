"""Runs one benchmark in a process of its own: each figure is a line of JSON, and so is why it broke off."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import traceback
from dataclasses import asdict


def main(module: str) -> int:
    """Write the figures of a module's `bench()` to standard output; what it prints goes to standard error."""
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    logging.disable(logging.ERROR)
    try:
        for figure in importlib.import_module(module).bench():
            print(json.dumps(asdict(figure)), file=lines)
    except Exception as exc:  # whatever it is, the other benchmarks still run
        traceback.print_exc()
        print(json.dumps({"failed": f"{type(exc).__name__}: {exc}"}), file=lines)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
