"""Measures an entry and, where the track wants that, finds the graph of it that is counted and that predicts.

The graph is made beside the entry's code. It is counted in a run of its own, without that code, and
believed only where it answers as the entry did: samples that ship with Podium, and others drawn once
the graph was there. Where there is none, or it answers otherwise, the entry runs as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from scoring.contracts import FORMAT_FACTS, Capture, Kind, Package, Stage, Task
from scoring.errors import Rejected, render
from scoring.flow import trials
from scoring.flow.agreement import count_off
from scoring.flow.found import Loadable
from scoring.flow.runs import Tools, make_job, make_probe_job, run_job
from scoring.sandbox import exchange
from scoring.sandbox.base import Job, Sandbox
from scoring.sandbox.reveal import Reveal

GRAPH: Final = "graph.safetensors"
SHARE_OF_TIME: Final = 0.4
"""Of the time that measuring may take, how much may go into making a graph."""
ROUNDING: Final = 0.01
"""How far a graph's answer may be from its entry's, beside how far the entry's answers lie apart."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a run beside the entry's code told, and the graph if there is one that can be believed.

    `why_not` says why there is none; it is empty too where nobody asked for one.
    """

    facts: exchange.MeasureFacts
    graph: Graph | None = None
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A captured graph that can be loaded in the entry's place, and its counts."""

    model: Loadable
    counts: exchange.CountFacts


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A graph that nobody looked at yet, and the samples and answers that it has to be compared on."""

    package: Package
    samples: NDArray[np.generic]
    answers: NDArray[np.float32]


def measure(model: Loadable, tools: Tools) -> Measured:
    """Load the model in the sandbox, try and count it there; capture it, unless that is off or it is a graph."""
    job = make_probe_job(Task.MEASURE, model, tools)
    if not is_wanted(model):
        return Measured(facts=_facts(job, tools))
    facts, written = _measure_and_capture(job, model, tools)
    if written is None:
        return Measured(facts=facts, why_not=facts.not_captured or "its graph is larger than a run may write")
    counts, why_not = _count(model, written, tools)
    if counts is None:
        return Measured(facts=_facts(job, tools), why_not=why_not)
    graph = Graph(model=replace(model, package=written.package, captured=True), counts=counts)
    return Measured(facts=facts, graph=graph)


def expect(model: Loadable, sandbox: Sandbox, *, predicts: bool) -> None:
    """Tell the sandbox what comes after measuring, so that it can start what measuring does not wait for.

    Code predicts in two runs, a graph in one (see `repeats`).
    """
    captured = is_wanted(model)
    has_code = FORMAT_FACTS[model.package.format].has_code and not captured
    runs = (1 + has_code) * predicts
    tasks = [*([Task.COUNT] if captured else []), *[Task.PREDICT] * runs]
    format_, environment = model.package.format, model.track.environment
    kinds = [Kind(task=task, format=format_, captured=captured, environment=environment) for task in tasks]
    sandbox.expect(kinds, model.track.run_limits)


def is_wanted(model: Loadable) -> bool:
    """Say whether the entry is to be captured."""
    return model.track.budgets.capture is not Capture.OFF and FORMAT_FACTS[model.package.format].has_code


def _facts(job: Job, tools: Tools) -> exchange.MeasureFacts:
    return cast(exchange.MeasureFacts, exchange.interpret(run_job(job, tools, Stage.MEASURE), job))


def _measure_and_capture(
    job: Job, model: Loadable, tools: Tools
) -> tuple[exchange.MeasureFacts, _Written | None]:
    """Measure, and let the child write a graph before it sees what that is compared on."""
    samples = np.load(job.inputs, allow_pickle=False)
    drawn = trials.draw(samples)
    request = replace(
        job.request,
        trials=len(drawn),
        capture_s=SHARE_OF_TIME * job.timeout_s,
        graph_only=model.track.budgets.capture is Capture.REQUIRED,
    )
    job = replace(job, request=request, inputs=tools.workdir / "revealed.npy")
    folder, root = tools.workdir / f"run-{Task.MEASURE}", tools.workdir / "captured"
    for each in (folder, root):
        each.mkdir(exist_ok=True)
    reveal = Reveal(
        samples,
        drawn,
        inputs=job.inputs,
        outputs=folder / "outputs.bin",
        kept=root / GRAPH,
        max_bytes=job.limits.max_file_bytes,
    )
    with reveal:
        run = tools.sandbox.run(job, workdir=folder, tick=lambda: tools.note(Stage.MEASURE))
    facts = cast(exchange.MeasureFacts, exchange.interpret(run, job))
    if not reveal.graph_bytes:
        return facts, None
    package = Package(format=job.request.format, root=root, main=GRAPH, package_bytes=reveal.graph_bytes)
    answers = exchange.read_answers(run, job, graph_bytes=reveal.graph_bytes)
    return facts, _Written(package=package, samples=np.concatenate([samples, drawn]), answers=answers)


def _count(model: Loadable, written: _Written, tools: Tools) -> tuple[exchange.CountFacts | None, str]:
    """Count the graph and compare its answers; return the counts, or why they are not to be believed."""
    inputs = tools.workdir / "trials.npy"
    np.save(inputs, written.samples, allow_pickle=False)
    captured = replace(model, package=written.package, captured=True)
    job = make_job(Task.COUNT, captured, inputs, len(written.samples))
    run = run_job(job, tools, Stage.MEASURE)
    try:
        counts = cast(exchange.CountFacts, exchange.interpret(run, job))
    except Rejected as exc:
        return None, f"its graph could not be run: {render(exc.findings[0]).message}"
    answers = exchange.read_answers(run, job)
    if answers.shape != written.answers.shape:
        return None, "its graph answers with another number of rows than the model"
    off = count_off(answers, written.answers, model.track.output.kind, rounding=ROUNDING)
    if off:
        return None, f"its graph gives other answers than the model to {off} of {len(answers)} pictures"
    return counts, ""
