"""What crosses between the worker and the sandboxed child, and how a request is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from scoring.contracts.fields import TrackField, fields_of
from scoring.contracts.format import Format
from scoring.contracts.track import DEFAULT_ENVIRONMENT, InputContract, OutputContract

C = TypeVar("C", InputContract, OutputContract)


class Task(StrEnum):
    """What a sandbox is asked to do.

    `COUNT` counts a captured graph and lets it answer trials; `CALIBRATE` runs no entry: it times known work.
    """

    MEASURE = "measure"
    COUNT = "count"
    PREDICT = "predict"
    CALIBRATE = "calibrate"
    LATENCY = "latency"
    EXPORT = "export"
    COMPILE = "compile"
    TRACE = "trace"
    QUANTISE = "quantise"

    @property
    def may_tell(self) -> bool:
        """Say whether the entry's own words may be shown: it sees nothing that is hidden."""
        return self in {Task.MEASURE, Task.COUNT, Task.EXPORT, Task.COMPILE, Task.TRACE}


WRITING = frozenset({Task.EXPORT, Task.COMPILE, Task.TRACE, Task.QUANTISE})
"""Tasks whose output is a file: the entry's model in another form. `QUANTISE` alone sees hidden samples."""

ON_TRIALS = frozenset({Task.MEASURE, Task.COUNT})
"""Tasks whose output are answers to trials, by an entry and by its graph, to be compared."""
ALONE = 3
"""How many of the samples are answered once more, each alone."""
LENGTH_BYTES = 8
"""A graph's length stands before it, as a little-endian integer; 0 says that there is none."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What decides which libraries a child needs, and is known before there is a request.

    `environment` says where they are installed.
    """

    task: Task
    format: Format
    captured: bool = False
    environment: str = DEFAULT_ENVIRONMENT

    def to_word(self) -> str:
        """Return the kind as it stands on the child's command line, without the environment that it stands in."""
        return ":".join((self.task, self.format, *(["captured"] if self.captured else [])))

    @classmethod
    def from_word(cls, word: str) -> Kind:
        """Read what `to_word` wrote."""
        task, name, *captured = word.split(":")
        return cls(task=Task(task), format=Format(name), captured=bool(captured))


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the child process is told; crosses as JSON. It names no label, file name or host path.

    `captured` says that the package holds the entry's graph, and nothing of its code. `trials` is how many
    samples more than `samples` the parent shows once a graph is written (see `sandbox.reveal`); 0 asks for
    no graph. `capture_s` is how much processor time making one may take, and `graph_only` says that without
    one the entry is refused, whatever else it holds. `again` numbers the samples that a graph answers once
    more at the end, in batches of `again_batch`.
    """

    task: Task
    format: Format
    main: str
    input: InputContract
    output: OutputContract
    samples: int
    batch_size: int
    threads: int
    seed: int
    may_start_processes: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    captured: bool = False
    environment: str = DEFAULT_ENVIRONMENT
    trials: int = 0
    capture_s: float = 0.0
    graph_only: bool = False
    again: tuple[int, ...] = ()
    again_batch: int = 1

    @property
    def rows(self) -> int:
        """Return how many answers a prediction has."""
        return self.samples + len(self.again)

    @property
    def kind(self) -> Kind:
        """Return what has to be loaded for it."""
        return Kind(task=self.task, format=self.format, captured=self.captured, environment=self.environment)

    def to_json(self) -> str:
        """Return the request as the child reads it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Read what `to_json` wrote; only the trusted side writes requests."""
        raw = json.loads(text)
        return cls(
            task=Task(raw["task"]),
            format=Format(raw["format"]),
            main=raw["main"],
            input=_contract(InputContract, raw["input"]),
            output=_contract(OutputContract, raw["output"]),
            samples=raw["samples"],
            batch_size=raw["batch_size"],
            threads=raw["threads"],
            seed=raw["seed"],
            may_start_processes=raw["may_start_processes"],
            options=raw["options"],
            captured=raw["captured"],
            environment=raw["environment"],
            trials=raw["trials"],
            capture_s=raw["capture_s"],
            graph_only=raw["graph_only"],
            again=tuple(raw["again"]),
            again_batch=raw["again_batch"],
        )


def _contract(contract: type[C], raw: Mapping[str, Any]) -> C:
    """Return the contract that was written: in JSON, members of enums are texts and tuples are lists."""
    return contract(**{field.name: _value(field, raw[field.name]) for field in fields_of(contract)})


def _value(field: TrackField, raw: Any) -> Any:
    if raw is None:
        return None
    if field.item is not None:
        return tuple(raw)
    return field.type(raw) if issubclass(field.type, StrEnum) else raw


EXACT_ARITHMETIC = "exact_arithmetic"
"""An option of the `onnx` loader: values are rounded to 8 bits where the graph says so, sums are exact.

The integer kernels of ONNX Runtime cut sums off on processors without instructions for them, so one
graph would have other scores on other workers.
"""

PRECISION = "precision"
SENSITIVE_PERCENT = "sensitive_percent"
"""Options of quantising: what to, and the share of layers that a mixed precision keeps in more bits."""

ANSWER = "answer"
"""An option of the `onnx` loader: the name of the output that is scored, where the graph has several."""

INLINED = "inlined"
"""An option of the `onnx` loader: the model defines functions, which are put in the place of their calls."""

STARTED_REPLY = b'{"outcome": "started"}'
"""What the child says once its own libraries are loaded, just before it turns to the entry.

A child that ends without it was never able to start: a fault of ours, and not a crash of the entry.
"""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What the child reads from its standard input once it is its turn; nobody can read it a second time.

    It waits for the letter with its libraries loaded, before it looks at a request. `seal` begins every line of
    the child's that counts. `limits` are limits of the kernel, by their names in the `resource` module, and
    `last_filter` is a system call filter in base64, both of which the child puts on itself just before it
    turns to the entry; empty for none.
    """

    seal: str
    limits: Mapping[str, int] = field(default_factory=dict)
    last_filter: str = ""

    def to_bytes(self) -> bytes:
        """Return the letter as the child reads it."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Letter:
        """Read what `to_bytes` wrote."""
        return cls(**json.loads(content))

    def line(self, message: bytes) -> bytes:
        """Return the message, which has no line feed, as it goes down the reply pipe."""
        return b"%s %s\n" % (self.seal.encode(), message)


class Outcome(StrEnum):
    """How the child says a request ended; the reply's `outcome` field, hostile like the rest of it."""

    OK = "ok"
    LOAD_FAILED = "load_failed"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    PROCESS_REFUSED = "process_refused"
    NO_NETWORK = "no_network"
    NOT_IN_ENTRY = "not_in_entry"
    NOT_INSTALLED = "not_installed"
    READ_ONLY_FOLDER = "read_only_folder"
    WRONG_OUTPUT_KIND = "wrong_output_kind"
    WRONG_OUTPUT_SHAPE = "wrong_output_shape"
    WRONG_OUTPUT_COUNT = "wrong_output_count"
    NOT_FINITE = "not_finite"
    CLASS_OUT_OF_RANGE = "class_out_of_range"
    EXPORT_FAILED = "export_failed"
    QUANTISATION_FAILED = "quantisation_failed"
