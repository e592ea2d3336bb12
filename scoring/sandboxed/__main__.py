"""The child process: reads one request, runs it, writes one reply and leaves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from scoring.contracts import Format, Request, Task
from scoring.sandboxed.channel import Channel, leave
from scoring.sandboxed.inputs import Pixels, open_inputs
from scoring.sandboxed.measures import Reply, measure
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.tasks.predict import predict

# Loaded before the entry, so that a library of ours that is broken does not look like its doing.
ENGINES: Final[Mapping[Task, Mapping[Format, tuple[str, ...]]]] = {
    Task.MEASURE: {
        Format.CVPR_ZIP: ("scoring.sandboxed.loaders.cvpr_zip", "scoring.sandboxed.measures.torch_entry"),
        Format.ONNX: ("scoring.sandboxed.loaders.onnx_graph", "scoring.sandboxed.measures.onnx_graph"),
        Format.QAIHUB: ("scoring.sandboxed.loaders.qaihub", "scoring.sandboxed.measures.torch_entry"),
        Format.GASBENCH: ("scoring.sandboxed.loaders.gasbench", "scoring.sandboxed.measures.torch_entry"),
        Format.BYOM: ("scoring.sandboxed.loaders.byom", "scoring.sandboxed.measures.byom"),
    },
    Task.PREDICT: {
        Format.CVPR_ZIP: ("scoring.sandboxed.loaders.cvpr_zip",),
        Format.ONNX: ("scoring.sandboxed.loaders.onnx_graph",),
        Format.QAIHUB: ("scoring.sandboxed.loaders.qaihub",),
        Format.GASBENCH: ("scoring.sandboxed.loaders.gasbench",),
        Format.BYOM: ("scoring.sandboxed.loaders.byom",),
    },
}


def main() -> None:
    """Run the request named on the command line; never return."""
    paths = _paths()
    request = Request.from_json(paths.request.read_text())
    channel = Channel(paths.reply, paths.outputs)
    try:
        reply = _run(request, paths, channel)
    except Refusal as refusal:
        _end(channel, {"outcome": refusal.outcome, "facts": refusal.facts}, exit_code=1)
    _end(channel, reply, exit_code=0)


def _paths() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scoring.sandboxed")
    for name in ("request", "package", "inputs", "reply", "outputs"):
        parser.add_argument(f"--{name}", type=Path, required=name not in {"package", "inputs"})
    return parser.parse_args()


def _run(request: Request, paths: argparse.Namespace, channel: Channel) -> dict[str, object]:
    if request.task is Task.CALIBRATE:
        from scoring.sandboxed.tasks.calibrate import calibrate

        return calibrate(request.threads)
    if request.task is Task.LATENCY:
        from scoring.sandboxed.tasks.latency import answer, open_paced

        paced = open_paced(paths.inputs, request)
        for module in _engines(request):
            import_module(module)
        channel.started()
        return answer(request, paths.package, paced, channel)
    pixels = open_inputs(paths.inputs, request)
    for module in _engines(request):
        import_module(module)
    channel.started()
    if request.task is Task.MEASURE:
        return measure(request, paths.package, pixels)
    if request.task in WRITERS:
        return WRITERS[request.task](request, paths.package, pixels, channel)
    return predict(request, paths.package, pixels, channel)


def _export(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    from scoring.sandboxed.tasks.export import export

    return export(request, package, pixels, channel)


def _compile(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    from scoring.sandboxed.tasks.compile import compile_entry

    return compile_entry(request, package, pixels, channel)


def _trace(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    from scoring.sandboxed.tasks.trace import trace_entry

    return trace_entry(request, package, pixels, channel)


def _quantise(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    from scoring.sandboxed.tasks.quantise import quantise

    return quantise(request, package, pixels, channel)


WRITERS: Final[Mapping[Task, Callable[[Request, Path, Pixels, Channel], Reply]]] = {
    Task.EXPORT: _export,
    Task.COMPILE: _compile,
    Task.TRACE: _trace,
    Task.QUANTISE: _quantise,
}
WRITING_ENGINES: Final = {
    Task.EXPORT: "scoring.sandboxed.tasks.export",
    Task.COMPILE: "scoring.sandboxed.tasks.compile",
    Task.TRACE: "scoring.sandboxed.tasks.trace",
    Task.QUANTISE: "scoring.sandboxed.tasks.quantise",
}


def _engines(request: Request) -> tuple[str, ...]:
    if request.task in WRITING_ENGINES:
        return (*ENGINES[Task.PREDICT][request.format], WRITING_ENGINES[request.task])
    task = Task.PREDICT if request.task is Task.LATENCY else request.task
    return ENGINES[task][request.format]


def _end(channel: Channel, reply: Mapping[str, object], *, exit_code: int) -> None:
    channel.reply(reply)
    sys.stdout.flush()
    sys.stderr.flush()
    leave(exit_code)


if __name__ == "__main__":
    main()
