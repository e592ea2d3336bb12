"""From a finished run to what it means: a measurement, predictions, or a refusal with its code.

Everything that the child wrote is hostile. From `predict`, which sees hidden inputs, no text of the
child's passes: only codes, our own words, and bounded counts.
"""

from __future__ import annotations

import builtins
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import LENGTH_BYTES, PRECISION, Finding, Outcome, Precision, Task
from scoring.environment import lack_of
from scoring.errors import Cause, Fault, Rejected, reject
from scoring.sandbox.base import MAX_REPLY_BYTES, MAX_TEMPORARY_FILES, ExitStatus, Job, Overflow, Run
from scoring.sandbox.limits import expected_output_bytes
from scoring.sandbox.reply import (
    CalibrateReply,
    CompileReply,
    CountReply,
    ExportReply,
    FailedReply,
    InvalidReply,
    MeasureReply,
    OkReply,
    QuantiseReply,
    TraceReply,
    parse,
)
from scoring.sandbox.workfiles import harmless, open_written

# Exceptions of ONNX Runtime, which are no Python builtins.
RUNTIME_ERRORS: Final = frozenset(
    {"EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel", "NotImplemented"}
)
ENDED_BY_ITSELF: Final = frozenset({ExitStatus.EXITED, ExitStatus.CRASHED})
UNWRITTEN: Final = {Task.COMPILE: "compilation_failed", Task.TRACE: "packaging_failed"}
OPERATOR: Final = re.compile(r"(aten|torchvision)::[a-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,40})?", re.ASCII)
HELD_BACK: Final = {
    Outcome.PROCESS_REFUSED: "process_refused",
    Outcome.NO_NETWORK: "no_network",
    Outcome.READ_ONLY_FOLDER: "read_only_folder",
}
UNNAMED: Final = "an exception"
UNNAMED_SIGNAL: Final = "a signal"
CRASHES: Final = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT})
EARLY_EXIT: Final = "an early exit"
UNREADABLE_REPLY: Final = "an unreadable reply"


@dataclass(frozen=True, kw_only=True)
class MeasureFacts:
    """What `measure` found on sample inputs; the log may be shown to the participant."""

    parameters: int
    trainable_parameters: int
    macs_by_counter: Mapping[str, int | None]
    uncounted_ops: tuple[str, ...]
    warnings: tuple[Finding, ...]
    log: str
    cpu_s: float
    not_captured: str = ""


@dataclass(frozen=True, kw_only=True)
class CountFacts:
    """What a captured graph holds and does; its answers are read by `read_answers`."""

    parameters: int
    macs: int
    uncounted_ops: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PredictFacts:
    """`predict` went through; the rows are read by `read_outputs`."""

    rows: int
    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class ExportFacts:
    """`export` went through; the model is read by `read_export`."""

    opset: int
    samples: int
    largest_difference: float
    largest_output: float
    log: str


@dataclass(frozen=True, kw_only=True)
class CompileFacts:
    """`compile` went through; the model is read by `read_export`. `batch` None means any."""

    opset: int
    batch: int | None
    samples: int
    graph_bytes: int
    largest_difference: float
    largest_output: float
    numbers: int
    differing: int
    torch_ms: float
    compiled_ms: float
    log: str


@dataclass(frozen=True, kw_only=True)
class QuantiseFacts:
    """`quantise` went through; the graph is read by `read_export`."""

    cpu_s: float


@dataclass(frozen=True, kw_only=True)
class TraceFacts:
    """`trace` went through; the TorchScript is read by `read_export`. `batch` None means any."""

    output_shape: tuple[int, ...]
    batch: int | None
    samples: int
    largest_difference: float
    largest_output: float
    log: str


@dataclass(frozen=True, kw_only=True)
class CalibrateFacts:
    """How long known work took on this machine."""

    macs: int
    cpu_s: float


Found = (
    MeasureFacts
    | CountFacts
    | PredictFacts
    | ExportFacts
    | CompileFacts
    | TraceFacts
    | QuantiseFacts
    | CalibrateFacts
)


def interpret(run: Run, job: Job) -> Found:
    """Return what the run found; raise `Rejected` for what the entry did wrong.

    `CALIBRATE` runs no entry, so there whatever goes wrong is a `Fault`.
    """
    try:
        return _interpret(run, job)
    except Rejected as exc:
        if job.request.task is Task.CALIBRATE:
            raise Fault(f"calibration failed with {exc.code}") from exc
        raise


def _interpret(run: Run, job: Job) -> Found:
    if run.status in ENDED_BY_ITSELF and not run.reply and not run.entry_began:
        why = f"the sandboxed process ended before it started (exit code {run.exit_code})"
        raise Fault(why, cause=Cause.SANDBOX)
    if run.status is not ExitStatus.EXITED:
        raise _from_status(run, job)
    if not run.reply:
        raise _crashed(_exit_words(run, job), run, job)
    try:
        reply = parse(run.reply, job.request.task)
    except InvalidReply as exc:
        raise _crashed(UNREADABLE_REPLY, run, job) from exc
    if isinstance(reply, FailedReply):
        raise _from_outcome(reply, run, job)
    if run.exit_code != 0:
        # It claimed success and then went down: what it wrote may be half of it.
        raise _crashed(_exit_words(run, job), run, job)
    return _from_ok(reply, run, job)


def _from_ok(reply: OkReply, run: Run, job: Job) -> Found:
    if isinstance(reply, MeasureReply):
        return MeasureFacts(
            parameters=reply.parameters,
            trainable_parameters=reply.trainable_parameters,
            macs_by_counter=reply.macs_by_counter.model_dump(exclude_unset=True),
            uncounted_ops=tuple(reply.uncounted_ops),
            warnings=tuple(Finding(code=w.code, facts=w.facts.model_dump()) for w in reply.warnings),
            log=run.log,
            cpu_s=run.cpu_s,
            not_captured=harmless(reply.not_captured),
        )
    if isinstance(reply, CountReply):
        return CountFacts(
            parameters=reply.parameters, macs=reply.macs, uncounted_ops=tuple(reply.uncounted_ops)
        )
    if isinstance(reply, CalibrateReply):
        return CalibrateFacts(macs=reply.macs, cpu_s=reply.cpu_s)
    if isinstance(reply, QuantiseReply):
        return QuantiseFacts(cpu_s=run.cpu_s)
    if isinstance(reply, ExportReply):
        return ExportFacts(
            opset=reply.opset,
            samples=reply.samples,
            largest_difference=reply.largest_difference,
            largest_output=reply.largest_output,
            log=run.log,
        )
    if isinstance(reply, CompileReply):
        facts = reply.model_dump(exclude={"outcome"})
        return CompileFacts(**facts, log=run.log)
    if isinstance(reply, TraceReply):
        return TraceFacts(
            output_shape=tuple(reply.output_shape),
            batch=reply.batch,
            samples=reply.samples,
            largest_difference=reply.largest_difference,
            largest_output=reply.largest_output,
            log=run.log,
        )
    if reply.rows != job.request.rows:
        raise _wrong_count(reply.rows, job.request.rows, job)
    return PredictFacts(rows=reply.rows, cpu_s=run.cpu_s)


def _from_status(run: Run, job: Job) -> Rejected:
    match run.status:
        case ExitStatus.TIMED_OUT:
            return reject("timed_out", log=_log(run, job), allowed_s=job.timeout_s)
        case ExitStatus.OUT_OF_MEMORY:
            return _out_of_memory(run, job)
        case ExitStatus.TOO_MUCH_OUTPUT:
            return _too_much_output(run, job)
        case ExitStatus.CRASHED:
            return _crashed(_signal_name(run.exit_code, job), run, job)
    raise Fault(f"a run ended in an unknown way: {run.status}")


def _from_outcome(reply: FailedReply, run: Run, job: Job) -> Rejected:
    facts, log = reply.facts, _log(run, job)
    contract = job.request.output
    match reply.outcome:
        case Outcome.LOAD_FAILED:
            return reject("load_failed", log=log, why=_why(reply, job))
        case Outcome.CRASHED:
            return _crashed(_why(reply, job) + _fed(job), run, job)
        case (
            Outcome.OUT_OF_MEMORY
            | Outcome.PROCESS_REFUSED
            | Outcome.NO_NETWORK
            | Outcome.NOT_IN_ENTRY
            | Outcome.NOT_INSTALLED
            | Outcome.READ_ONLY_FOLDER
        ):
            return _held_back(reply, run, job)
        case Outcome.WRONG_OUTPUT_KIND:
            return reject("wrong_output_kind", log=log, found=_told(facts.found, "something else", job))
        case Outcome.WRONG_OUTPUT_SHAPE:
            batch = _batch(facts.batch, job)
            return reject(
                "wrong_output_shape",
                log=log,
                found=_told(facts.found, "of another kind", job),
                batch=batch,
                expected=contract.expected_shape(batch, job.request.input),
                width=contract.width,
            )
        case Outcome.WRONG_OUTPUT_COUNT:
            return _wrong_batch(reply, job, log)
        case Outcome.NOT_FINITE:
            return _not_finite(facts.found if isinstance(facts.found, int) else 1, facts.total or 1, job, log)
        case Outcome.CLASS_OUT_OF_RANGE:
            return reject("class_out_of_range", log=log, highest=(contract.classes or contract.width) - 1)
        case Outcome.EXPORT_FAILED | Outcome.QUANTISATION_FAILED:
            return _no_graph(reply, run, job)
    # The schema lets no other outcome through; an outcome added there and not here must be heard of.
    raise Fault(f"a child reported an unknown outcome: {reply.outcome}")  # pragma: no cover


def _no_graph(reply: FailedReply, run: Run, job: Job) -> Rejected:
    if reply.outcome is Outcome.EXPORT_FAILED:
        code = UNWRITTEN.get(job.request.task, "export_failed")
        return reject(code, log=_log(run, job), why=_why(reply, job))
    why = f"ONNX Runtime's quantiser failed with {_why(reply, job)}"
    precision = job.request.options.get(PRECISION, Precision.W8A8)
    return reject("quantisation_failed", log=_log(run, job), why=why, precision=precision)


def _held_back(reply: FailedReply, run: Run, job: Job) -> Rejected:
    """Say what the entry wanted and the sandbox did not give."""
    if reply.outcome is Outcome.OUT_OF_MEMORY:
        return _out_of_memory(run, job)
    if reply.outcome is Outcome.NOT_IN_ENTRY:
        return _not_in_entry(_told(reply.facts.found, "a file", job), _log(run, job))
    if reply.outcome is Outcome.NOT_INSTALLED:
        name = _told(reply.facts.found, "a library", job)
        facts = lack_of(name, job.request.environment)
        return reject("not_installed", log=_log(run, job), **facts)
    return reject(HELD_BACK[reply.outcome], log=_log(run, job))


def _not_in_entry(asked: str, log: str) -> Rejected:
    return reject("not_in_entry", log=log, asked=asked, name=asked.rpartition("/")[2])


def _out_of_memory(run: Run, job: Job) -> Rejected:
    return reject("out_of_memory", log=_log(run, job), allowed_bytes=job.limits.max_memory_bytes)


def _too_much_output(run: Run, job: Job) -> Rejected:
    if run.overflow is None:
        raise Fault("a run wrote too much, but what it wrote is unknown")
    if run.overflow is Overflow.FILES:
        return reject("too_many_temporary_files", log=_log(run, job), allowed=MAX_TEMPORARY_FILES)
    allowed_bytes = {
        Overflow.LOG: job.limits.max_log_bytes,
        Overflow.REPLY: MAX_REPLY_BYTES,
        Overflow.OUTPUTS: expected_output_bytes(job),
    }[run.overflow]
    return reject("too_much_output", log=_log(run, job), allowed_bytes=allowed_bytes, what=run.overflow.value)


def _crashed(error: str, run: Run, job: Job) -> Rejected:
    return reject("crashed", log=_log(run, job), error=error)


def _batch(told: int | None, job: Job) -> int:
    """Return the samples of the batch that went wrong; of `predict`, those of a whole one, whichever it was."""
    whole = job.request.batch_size
    return min(told or whole, whole) if job.request.task.may_tell else min(whole, job.request.samples)


def _not_finite(found: int, total: int, job: Job, log: str = "") -> Rejected:
    most = job.request.rows * job.request.output.width
    total = min(total, most) if job.request.task.may_tell else most
    found = max(1, min(found, total))
    return reject("not_finite", log=log, found=found, total=total)


def _wrong_batch(reply: FailedReply, job: Job, log: str) -> Rejected:
    """Name the batch that went wrong, which may be a part of the samples and is never more."""
    facts, samples = reply.facts, job.request.samples
    batch = facts.expected if isinstance(facts.expected, int) else samples
    if not job.request.task.may_tell:
        batch = job.request.batch_size
    found = facts.found if isinstance(facts.found, int) else 0
    return _wrong_count(found, min(batch, samples), job, log)


def _wrong_count(found: int, expected: int, job: Job, log: str = "") -> Rejected:
    if not job.request.task.may_tell:
        # A count without a bound would carry hidden inputs out, 59 bits of them a run.
        found = min(found, expected + 1)
    return reject("wrong_output_count", log=log, found=found, expected=expected)


def _log(run: Run, job: Job) -> str:
    """Return the log for the participant: none from `predict`, where a print could carry hidden inputs out."""
    return run.log if job.request.task.may_tell else ""


def _told(found: int | str | None, ours: str, job: Job) -> str:
    """Return the child's words from `measure`, ours otherwise."""
    if not job.request.task.may_tell or found is None:
        return ours
    return harmless(str(found))


def _why(reply: FailedReply, job: Job) -> str:
    why = reply.facts.why or UNNAMED
    if job.request.task.may_tell:
        return harmless(why)
    error, _, operator = why.partition(" in ")
    is_told = job.request.captured and OPERATOR.fullmatch(operator) is not None
    return f"{_error_name(error)} in {operator}" if is_told else _error_name(why)


def _fed(job: Job) -> str:
    """Say what `measure` fed: most crashes there are about its shape or its type."""
    if job.request.task is not Task.MEASURE:
        return ""
    contract = job.request.input
    sides = ", ".join(map(str, contract.sides()))
    return f"; its input was (N, {sides}) of {contract.dtype}"


def _error_name(name: str) -> str:
    """Return the exception's name where it is a known one: from `predict`, any name would carry data out."""
    builtin = getattr(builtins, name, None)
    known = isinstance(builtin, type) and issubclass(builtin, BaseException)
    return name if known or name in RUNTIME_ERRORS else UNNAMED


def _exit_words(run: Run, job: Job) -> str:
    """Name an exit without a reply; from `predict` without its number, which the entry chooses."""
    if job.request.task.may_tell and run.exit_code:
        return f"{EARLY_EXIT} (code {run.exit_code})"
    return EARLY_EXIT


def _signal_name(exit_code: int | None, job: Job) -> str:
    """Name the signal; from `predict` only one that faulty code ends by: others the entry can choose."""
    number = -(exit_code or 0)
    if not job.request.task.may_tell and number not in CRASHES:
        return UNNAMED_SIGNAL
    try:
        return signal.Signals(number).name
    except ValueError:
        return UNNAMED_SIGNAL


def read_outputs(run: Run, job: Job) -> NDArray[np.float32]:
    """Return the predictions, shape (samples, width); raise `Rejected` unless all are there and finite."""
    width = job.request.output.width
    with open_written(run.outputs) as file:
        # One byte more than expected tells too long from complete.
        raw = file.read(expected_output_bytes(job) + 1)
    if len(raw) != expected_output_bytes(job):
        whole_rows, rest = divmod(len(raw), 4 * width)
        # A torn row is not a row; beyond the last sample it is one too many.
        too_long = whole_rows >= job.request.rows and rest > 0
        raise _wrong_count(whole_rows + too_long, job.request.rows, job)
    rows = np.frombuffer(raw, dtype="<f4").reshape(job.request.rows, width)
    not_finite = int(np.count_nonzero(~np.isfinite(rows)))
    if not_finite:
        raise _not_finite(not_finite, rows.size, job)
    return rows.astype(np.float32, copy=False)


def read_answers(run: Run, job: Job, *, graph_bytes: int = 0) -> NDArray[np.float32]:
    """Return the answers to trials that stand after a graph of that length, one row each.

    First all, then those that were answered alone. Rows that are torn or not finite are what they
    are: these answers are compared, never scored.
    """
    width = job.request.output.width
    with open_written(run.outputs) as file:
        file.seek(LENGTH_BYTES + graph_bytes if job.request.trials else 0)
        raw = file.read(expected_output_bytes(job))
    rows = len(raw) // (4 * width)
    return np.frombuffer(raw, dtype="<f4", count=rows * width).reshape(rows, width)


def read_export(run: Run, job: Job) -> bytes:
    """Return the bytes of an exported or quantised graph, unchecked: they are looked at as an entry is."""
    with open_written(run.outputs) as file:
        return file.read(expected_output_bytes(job))
