"""The child's reply, parsed as hostile: strict JSON, closed schema, every number and text bounded."""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError, model_validator

from scoring.contracts import Outcome, Task
from scoring.sandbox.base import MAX_REPLY_BYTES

MAX_COUNT: Final = 10**18
MAX_TEXT: Final = 400
MAX_NAMES: Final = 500

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
OperatorName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:<>/ -]{1,120}$")]


class InvalidReply(Exception):
    """The reply is not what the child writes."""


class _Closed(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NoFacts(_Closed):
    """A warning without numbers."""


class ConversionDifference(_Closed):
    """How far a conversion is off."""

    largest_difference: Annotated[FiniteFloat, Field(ge=0)]


class Why(_Closed):
    """Why something could not be done."""

    why: Text


class NoTrainableParameters(_Closed):
    """The warning `no_trainable_parameters`."""

    code: Literal["no_trainable_parameters"]
    facts: NoFacts = NoFacts()


class ConversionMismatch(_Closed):
    """The warning `conversion_mismatch`."""

    code: Literal["conversion_mismatch"]
    facts: ConversionDifference


class ConversionUnavailable(_Closed):
    """The warning `conversion_unavailable`."""

    code: Literal["conversion_unavailable"]
    facts: Why


class Names(_Closed):
    """What a warning is about."""

    names: Text


class OptionsWithoutEffect(_Closed):
    """The warning `options_without_effect`."""

    code: Literal["options_without_effect"]
    facts: Names


Warned = Annotated[
    NoTrainableParameters | ConversionMismatch | ConversionUnavailable | OptionsWithoutEffect,
    Field(discriminator="code"),
]


class Counters(_Closed):
    """MACs by each counter; None where it could not count, unset where there was nothing for it to count.

    Only the dispatch counter sees what TorchScript runs.
    """

    dispatch: Count | None
    ptflops: Count | None = None
    fvcore: Count | None = None


class MeasureReply(_Closed):
    """A measurement that went well."""

    outcome: Literal["ok"]
    parameters: Count
    trainable_parameters: Count
    macs_by_counter: Counters
    uncounted_ops: Annotated[list[OperatorName], Field(max_length=MAX_NAMES)]
    warnings: Annotated[list[Warned], Field(max_length=16)]
    not_captured: Text = ""

    @model_validator(mode="after")
    def _trainable_are_parameters(self) -> MeasureReply:
        if self.trainable_parameters > self.parameters:
            raise ValueError("more trainable parameters than parameters")
        return self


class CountReply(_Closed):
    """A graph was counted; `batch` is null where it takes any."""

    outcome: Literal["ok"]
    parameters: Count
    macs: Count
    uncounted_ops: Annotated[list[OperatorName], Field(max_length=MAX_NAMES)]
    batch: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None


class PredictReply(_Closed):
    """A prediction that went well."""

    outcome: Literal["ok"]
    rows: Count


class ExportReply(_Closed):
    """An export that went well."""

    outcome: Literal["ok"]
    opset: Annotated[int, Field(ge=1, le=100)]
    samples: Count
    largest_difference: Annotated[FiniteFloat, Field(ge=0)]
    largest_output: Annotated[FiniteFloat, Field(ge=0)]


class CompileReply(_Closed):
    """A compilation that went well; `batch` is null where any will do."""

    outcome: Literal["ok"]
    opset: Annotated[int, Field(ge=1, le=100)]
    batch: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None
    samples: Count
    graph_bytes: Count
    largest_difference: Annotated[FiniteFloat, Field(ge=0)]
    largest_output: Annotated[FiniteFloat, Field(ge=0)]
    numbers: Count
    differing: Count
    torch_ms: Annotated[FiniteFloat, Field(ge=0)]
    compiled_ms: Annotated[FiniteFloat, Field(ge=0)]


class TraceReply(_Closed):
    """A trace that went well; `batch` is null where any will do."""

    outcome: Literal["ok"]
    output_shape: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_COUNT)]], Field(min_length=1, max_length=8)
    ]
    batch: Annotated[int, Field(ge=1, le=1)] | None
    samples: Count
    largest_difference: Annotated[FiniteFloat, Field(ge=0)]
    largest_output: Annotated[FiniteFloat, Field(ge=0)]


class QuantiseReply(_Closed):
    """A quantisation that went well; all that matters is in the graph."""

    outcome: Literal["ok"]


class CalibrateReply(_Closed):
    """A calibration that went well."""

    outcome: Literal["ok"]
    macs: Annotated[int, Field(gt=0, le=MAX_COUNT)]
    cpu_s: Annotated[FiniteFloat, Field(gt=0)]


class Facts(_Closed):
    """What a failed request may tell; which of it is believed depends on outcome and task."""

    why: Text | None = None
    found: Count | Text | None = None
    batch: Count | None = None
    expected: Count | Text | None = None
    width: Count | None = None
    total: Count | None = None


class FailedReply(_Closed):
    """A request that did not go well."""

    outcome: Outcome
    facts: Facts = Facts()

    @model_validator(mode="after")
    def _is_a_failure(self) -> FailedReply:
        if self.outcome is Outcome.OK:
            raise ValueError("not a failure")
        return self


OkReply = (
    MeasureReply
    | CountReply
    | PredictReply
    | ExportReply
    | CompileReply
    | TraceReply
    | QuantiseReply
    | CalibrateReply
)
OK_REPLIES: Final[dict[Task, type[OkReply]]] = {
    Task.MEASURE: MeasureReply,
    Task.COUNT: CountReply,
    Task.PREDICT: PredictReply,
    Task.LATENCY: PredictReply,
    Task.EXPORT: ExportReply,
    Task.COMPILE: CompileReply,
    Task.TRACE: TraceReply,
    Task.QUANTISE: QuantiseReply,
    Task.CALIBRATE: CalibrateReply,
}


def parse(reply: bytes, task: Task) -> OkReply | FailedReply:
    """Return the reply to a request of `task`; raise `InvalidReply` for anything else."""
    if len(reply) > MAX_REPLY_BYTES:
        raise InvalidReply("too long")
    try:
        content = json.loads(
            reply.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
        )
        schema: type[OkReply | FailedReply] = FailedReply
        if isinstance(content, dict) and content.get("outcome") == Outcome.OK:
            schema = OK_REPLIES[task]
        # By way of JSON, so that an enum's value counts as the enum and an integer never as a truth.
        return TypeAdapter(schema).validate_json(json.dumps(content))
    # RecursionError: ten thousand opening brackets fit well under the cap.
    except (ValueError, ValidationError, RecursionError) as exc:
        raise InvalidReply("not a reply") from exc


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidReply(f"{name} is not JSON")


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a key given twice: two readers would see two different replies."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise InvalidReply("a key appears twice")
    return content
