"""Where the seconds of a child go before its entry: `python -m tests.benchmarks.loading [ROUNDS]`.

Processor seconds, the least of some rounds taken in turn, and each as a multiple of `import torch`.
`python -X importtime` shows what is behind a figure.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from scoring.contracts import Format, Kind, Task
from scoring.sandbox.cage import environment

ROOT: Final = Path(__file__).parents[2]
ROUNDS: Final = 7
NO_SITE: Final = ("-I", "-S")
TORCHVISION: Final = (
    "from scoring.sandboxed.torchvision_ops import declare_missing_operators as d; d(); import "
)
CHILD: Final = "from scoring.sandboxed.__main__ import preload, Kind; preload(Kind.from_word({!r}))"
PARTS: Final = {
    "interpreter of the keeper (`-I -S`)": "pass",
    "interpreter of a child": "pass",
    "`import numpy`": "import numpy",
    "`import torch`": "import torch",
    "what `torch.export` imports (torch._dynamo, torch._inductor, sympy, networkx)": (
        "import torch, scoring.sandboxed.graph.capture"
    ),
    "ptflops and fvcore, as they are": f"{TORCHVISION}ptflops, fvcore.nn",
    "ptflops and fvcore, as Podium imports them": (
        "import torch, scoring.sandboxed.counters.by_module, scoring.sandboxed.counters.by_trace"
    ),
    "`import torchvision`": f"{TORCHVISION}torchvision",
    "torchvision's operators alone": (
        "from scoring.sandboxed.torchvision_ops import register_operators as r; r()"
    ),
    "`import onnx, onnxruntime`": "import onnx, onnxruntime",
    "onnx2torch, as it is": f"{TORCHVISION}onnx2torch",
    "onnx2torch, as Podium imports it": "import torch, scoring.sandboxed.measures.conversion",
}
KINDS: Final = (
    Kind(task=Task.MEASURE, format=Format.CVPR_ZIP),
    Kind(task=Task.MEASURE, format=Format.BYOM),
    Kind(task=Task.COUNT, format=Format.CVPR_ZIP, captured=True),
    Kind(task=Task.PREDICT, format=Format.CVPR_ZIP, captured=True),
    Kind(task=Task.PREDICT, format=Format.CVPR_ZIP),
    Kind(task=Task.MEASURE, format=Format.ONNX),
    Kind(task=Task.PREDICT, format=Format.ONNX),
)


def main(rounds: int) -> None:
    """Print the table."""
    programs = PARTS | {f"child: {kind.to_word()}": CHILD.format(kind.to_word()) for kind in KINDS}
    least = dict.fromkeys(programs, float("inf"))
    for _ in range(rounds):
        for part, program in programs.items():
            least[part] = min(least[part], processor_s(program, *(NO_SITE if "-S" in part else ("-P", "-s"))))
    print("| Part | Processor seconds | of `import torch` |\n|---|---|---|")
    for part, seconds in least.items():
        print(f"| {part} | {seconds:.2f} | {seconds / least['`import torch`']:.2f} |")


def processor_s(program: str, *options: str) -> float:
    """Return the processor seconds of a Python that does this and ends, in a child's environment."""
    settings = {**environment(threads=1), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *options, "-c", program], env=settings, check=True, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
