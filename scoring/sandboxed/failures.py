"""Turns whatever an entry raises into an outcome with the facts of its code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from scoring.contracts import Outcome, Task
from scoring.sandboxed.processes import ProcessRefused
from scoring.sandboxed.refusal import Refusal

T = TypeVar("T")
MAX_WHY_LENGTH = 300
# How torch and ONNX Runtime word a failed allocation; they raise RuntimeError, not MemoryError.
_ALLOCATION_FAILED = ("can't allocate memory", "not enough memory", "bad_alloc", "failed to allocate memory")


class GraphFailed(RuntimeError):
    """A captured graph cannot be run on what it was given.

    `operator` is the one that raised, which may be told: no code of the entry's runs, and what a graph
    consists of was known before it saw hidden data.
    """

    def __init__(self, text: str, operator: str = "") -> None:
        super().__init__(f"{operator}: {text}" if operator else text)
        self.operator = operator


@contextmanager
def entry_failures(outcome: Outcome, task: Task) -> Iterator[None]:
    """Raise `Refusal(outcome)` for any exception that the entry lets out; its traceback is logged.

    The exception's text is passed on from `measure` only: in `predict` it could carry hidden data.
    """
    try:
        yield
    except Refusal:
        raise
    except Exception as exc:
        traceback.print_exc(file=sys.stderr)
        raise _refusal(exc, outcome, task) from exc


def one_line(exc: BaseException) -> str:
    """Return the exception's class and text in one line, without a full stop, cut to a fair length.

    torch tells what is wrong with a state dict, and how, in the lines after the first.
    """
    text = " ".join(str(exc).split())
    return f"{type(exc).__name__}: {text}"[:MAX_WHY_LENGTH].rstrip(".: ")


def _refusal(exc: Exception, outcome: Outcome, task: Task) -> Refusal:
    if any(isinstance(each, MemoryError) for each in (exc, exc.__cause__)) or any(
        words in str(exc).lower() for words in _ALLOCATION_FAILED
    ):
        return Refusal(Outcome.OUT_OF_MEMORY)
    if any(isinstance(each, ProcessRefused) for each in (exc, exc.__cause__)):
        return Refusal(Outcome.PROCESS_REFUSED)
    return Refusal(outcome, why=one_line(exc) if task.may_tell else _name_of(exc))


def _name_of(exc: Exception) -> str:
    """Return what of an exception may be told where hidden data were seen: its class, and a graph's operator."""
    if isinstance(exc, GraphFailed) and exc.operator:
        return f"{type(exc.__cause__).__name__} in {exc.operator}"
    return type(exc).__name__


def attempt(function: Callable[[], T], task: Task) -> T | None:
    """Return what `function` returns, or None, with the traceback logged, if it raises."""
    try:
        with entry_failures(Outcome.CRASHED, task):
            return function()
    except Refusal:
        return None
