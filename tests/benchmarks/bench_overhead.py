"""From claim to score on a real database and in the real sandbox, next to what `import torch` takes here.

A trivial entry on 32 images leaves hardly anything but overhead: all sandboxes, capturing and counting included.
Cold is the first evaluation of a new worker, warm the next one, once its spare sandboxes have loaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.entries import TRIVIAL, write_images, write_onnx_entry, write_zip_entry
from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import Taken, below, in_child, median, peak_mb, processor_s_of, say, taken

AT_MOST: Final = {"cold": 3.0, "warm": 1.0}
AT_MOST_MB: Final = 400
SAMPLES: Final = 32
ROUNDS: Final = 5
QUIET_S: Final = 3
"""For how long spares must have done nothing to count as loaded."""


def bench() -> Iterator[Figure]:
    """Yield, for both formats, seconds as a ratio to `import torch`, and the worker's memory."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_images(root / "data", SAMPLES)
        for entry in (write_zip_entry(root, TRIVIAL), write_onnx_entry(root, TRIVIAL)):
            format_, imports, evaluations = entry.suffix[1:], [], []
            for number in range(ROUNDS):
                say(f"{format_}, round {number + 1} of {ROUNDS}")
                imports.append(taken(import_torch))
                home = root / f"{format_}-{number}"
                evaluations.append(in_child(evaluate, entry, root / "data", home))
            yield from _figures(format_, imports, evaluations)


def import_torch() -> None:
    """Do what everything is compared with."""
    subprocess.run([sys.executable, "-c", "import torch"], check=True)


def _figures(
    format_: str, imports: Sequence[Taken], evaluations: Sequence[Mapping[str, float]]
) -> Iterator[Figure]:
    of_import = median(imports)
    for state, at_most in AT_MOST.items():
        found = median(
            [
                Taken(wall_s=each[f"{state}_s"], processor_s=each[f"{state}_processor_s"])
                for each in evaluations
            ]
        )
        yield Figure(
            name=f"claim to score of a trivial {format_} entry, {state}, to `import torch`",
            value=found.wall_s / of_import.wall_s,
            at_most=at_most,
            rounds=ROUNDS,
            note=f"{found} and {of_import}",
        )
    yield Figure(
        name=f"memory of a worker that scored trivial {format_} entries",
        value=max(each["peak_mb"] for each in evaluations),
        unit="MB",
        at_most=AT_MOST_MB,
        rounds=ROUNDS,
    )


def evaluate(entry: str, data: str, home: str) -> dict[str, float]:
    """Evaluate two submissions as a new worker does; return their seconds, and the worker's peak megabytes."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "competition.settings",
        "PODIUM_HOME": home,
        "PODIUM_LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()

    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command(
        "sync_tracks", "cvpr2022-track1", competition="bench", data=Path(data), open=True, verbosity=0
    )
    cold = _claim_to_score(Path(entry))
    _wait_for_spares()
    warm = _claim_to_score(Path(entry))
    return {
        "cold_s": cold.wall_s,
        "cold_processor_s": cold.processor_s,
        "warm_s": warm.wall_s,
        "warm_processor_s": warm.processor_s,
        "peak_mb": peak_mb(),
    }


def _claim_to_score(entry: Path) -> Taken:
    """Submit and evaluate; the processor time is that of all sandboxes, of spares since they were started."""
    from django.contrib.auth.models import User
    from django.core.files import File

    from competition.submissions import services
    from competition.submissions.models import Evaluation
    from competition.tracks.models import Track
    from scoring.contracts import Status
    from scoring.worker.tasks import evaluate_waiting

    user = User.objects.create_user(f"user{User.objects.count()}")
    with entry.open("rb") as opened:
        services.accept_submission(
            participant=user, track=Track.objects.get(), upload=File(opened, name=entry.name), name=entry.name
        )
    whole = taken(lambda: evaluate_waiting("cpu"))
    evaluation = Evaluation.objects.get(submission__participant=user)
    if evaluation.status != Status.SCORED:
        raise RuntimeError(f"the evaluation ended as {evaluation.status}: {evaluation.code}")
    seconds = (evaluation.finished_at - evaluation.started_at).total_seconds()
    return Taken(wall_s=seconds, processor_s=whole.processor_s)


def _wait_for_spares() -> None:
    """Wait until no process below this one does anything."""
    before, quiet_since = -1.0, time.monotonic()
    while time.monotonic() - quiet_since < QUIET_S:
        time.sleep(0.1)
        now = sum(map(processor_s_of, below(os.getpid())))
        if now != before:
            before, quiet_since = now, time.monotonic()
