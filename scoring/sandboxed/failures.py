"""Turns whatever an entry raises into an outcome with the facts of its code."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from scoring.contracts import Outcome, Task
from scoring.sandboxed.missing import lacking, missed_by
from scoring.sandboxed.processes import ProcessRefused
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.tracebacks import print_for_entrant

T = TypeVar("T")
MAX_WHY_LENGTH = 300
MOST_REASONS = 20
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
        print_for_entrant(exc)
        raise _refusal(exc, outcome, task) from exc


def one_line(exc: BaseException) -> str:
    """Return the exception's class and text in one line, without a full stop, cut to a fair length.

    torch tells what is wrong with a state dict, and how, in the lines after the first. A long text is cut after
    a sentence, if that leaves most of it, else after a word.
    """
    text = " ".join(f"{type(exc).__name__}: {exc}".split())
    # Names of files may hold what no text can: halves of characters, which the reply would not survive.
    text = text.encode(errors="backslashreplace").decode()
    if len(text) > MAX_WHY_LENGTH:
        head = text[:MAX_WHY_LENGTH]
        sentences, words = head.rfind(". ") + 1, head.rfind(" ")
        if sentences > MAX_WHY_LENGTH // 2:
            return head[:sentences].rstrip(".: ")
        return f"{head[: words if words > MAX_WHY_LENGTH // 2 else MAX_WHY_LENGTH - 1].rstrip('.,:; ')}…"
    return text.rstrip(".: ")


def _refusal(exc: Exception, outcome: Outcome, task: Task) -> Refusal:
    reasons = list(_chain(exc))
    if any(isinstance(each, MemoryError) for each in reasons) or any(
        words in str(exc).lower() for words in _ALLOCATION_FAILED
    ):
        return Refusal(Outcome.OUT_OF_MEMORY)
    missed = missed_by(reasons)
    if missed is not None:
        return Refusal(Outcome.NOT_IN_ENTRY, **({"found": missed[-MAX_WHY_LENGTH:]} if task.may_tell else {}))
    lacks = lacking(exc)
    if lacks is not None:
        return Refusal(Outcome.NOT_INSTALLED, **({"found": lacks[:MAX_WHY_LENGTH]} if task.may_tell else {}))
    for kind, is_one in _OF_THE_SANDBOX.items():
        if any(is_one(each) for each in reasons):
            return Refusal(kind)
    return Refusal(outcome, why=one_line(exc) if task.may_tell else _name_of(exc))


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield the exception and what led to it, as Python tells it and as `urllib` does."""
    seen: set[int] = set()
    waiting: list[object] = [exc]
    while waiting and len(seen) < MOST_REASONS:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None)]


def _is_read_only(exc: BaseException) -> bool:
    return isinstance(exc, OSError) and exc.errno == errno.EROFS


_OF_THE_SANDBOX: Final[Mapping[Outcome, Callable[[BaseException], bool]]] = {
    Outcome.PROCESS_REFUSED: lambda exc: isinstance(exc, ProcessRefused),
    # Whoever asks for an address has no socket to send anything to.
    Outcome.NO_NETWORK: lambda exc: isinstance(exc, socket.gaierror),
    Outcome.READ_ONLY_FOLDER: _is_read_only,
}
"""What the sandbox refused, by what an entry that lets it out has met: said in words of its own."""


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
