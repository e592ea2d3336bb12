"""Tracebacks as a participant needs them: from the entry's own line on, and without folders of the machine.

Runs beside the entry; what it writes goes to the entry's log and is believed by nobody.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_OURS: Final = f"{Path(__file__).parents[1]}{os.sep}"
_STANDARD_LIBRARY: Final = f"{Path(os.__file__).parent}{os.sep}"
_INSTALLED: Final = ("site-packages", "dist-packages")


def print_for_entrant(exc: BaseException) -> None:
    """Write the traceback to the log, beginning at the entry's first line."""
    told = traceback.TracebackException.from_exception(exc)
    for each in _chain(told):
        each.stack = traceback.StackSummary.from_list(_from_the_entry_on(list(each.stack)))
        for frame in each.stack:
            frame.filename = _shown(frame.filename)
        if getattr(each, "filename", None):  # of a SyntaxError
            each.filename = _shown(each.filename)
    sys.stderr.write("".join(told.format()))


def _chain(told: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """Yield the exception, what led to it, and the members of a group, whichever way each is reached."""
    waiting: list[traceback.TracebackException | None] = [told]
    while waiting:
        each = waiting.pop()
        if each is not None:
            yield each
            waiting += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]


def _from_the_entry_on(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Drop what called the entry; without a line of the entry's, as in a graph, only what is Podium's."""
    for is_one in (_is_the_entrys, lambda name: not name.startswith(_OURS)):
        for position, frame in enumerate(frames):
            if is_one(frame.filename):
                return frames[position:]
    return []


def _is_the_entrys(filename: str) -> bool:
    generated = filename.startswith("<")  # "<string>", "<frozen importlib._bootstrap>"
    return (
        not generated and not filename.startswith((_OURS, _STANDARD_LIBRARY)) and not _is_installed(filename)
    )


def _is_installed(filename: str) -> bool:
    return any(folder in Path(filename).parts for folder in _INSTALLED)


def _shown(filename: str) -> str:
    """Return a file's path from the folder that Python found it in, such as "torch/nn/functional.py"."""
    folders = (folder for folder in sys.path if folder and Path(filename).is_relative_to(folder))
    nearest = max(folders, key=len, default=None)
    if nearest is not None:
        return str(Path(filename).relative_to(nearest))
    return Path(filename).name if Path(filename).is_absolute() else filename
