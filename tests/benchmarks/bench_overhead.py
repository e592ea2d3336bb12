"""From claim to score on a real database and in the real sandbox, next to what `import torch` takes here.

A trivial entry on 32 images leaves hardly anything but overhead: all sandboxes, capturing and counting included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.benchmarks.entries import TRIVIAL, write_images, write_onnx_entry, write_zip_entry
from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import Taken, in_child, median, peak_mb, say, taken

AT_MOST_COLD: Final = 3.0
AT_MOST_MB: Final = 400
SAMPLES: Final = 32
ROUNDS: Final = 5


def bench() -> Iterator[Figure]:
    """Yield, for both formats, seconds as a ratio to `import torch`, and the worker's memory."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_images(root / "data", SAMPLES)
        for entry in (write_zip_entry(root, TRIVIAL), write_onnx_entry(root, TRIVIAL)):
            format_, rounds = entry.suffix[1:], []
            for number in range(ROUNDS):
                say(f"{format_}, round {number + 1} of {ROUNDS}")
                imports = taken(lambda: subprocess.run([sys.executable, "-c", "import torch"], check=True))
                home = root / f"{format_}-{number}"
                rounds.append((imports, in_child(evaluate, entry, root / "data", home)))
            yield from _figures(format_, [each[0] for each in rounds], [each[1] for each in rounds])


def _figures(
    format_: str, imports: Sequence[Taken], evaluations: Sequence[Mapping[str, float]]
) -> Iterator[Figure]:
    of_import = median(imports)
    cold = median([Taken(wall_s=each["wall_s"], processor_s=each["processor_s"]) for each in evaluations])
    yield Figure(
        name=f"claim to score of a trivial {format_} entry, cold, to `import torch`",
        value=cold.wall_s / of_import.wall_s,
        at_most=AT_MOST_COLD,
        rounds=ROUNDS,
        note=f"{cold} and {of_import}",
    )
    yield Figure(
        name=f"memory of a worker that scored a trivial {format_} entry",
        value=max(each["peak_mb"] for each in evaluations),
        unit="MB",
        at_most=AT_MOST_MB,
        rounds=ROUNDS,
    )


def evaluate(entry: str, data: str, home: str) -> dict[str, float]:
    """Evaluate one submission as a new worker does; return wall and processor seconds, and peak megabytes."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "competition.settings",
        "PODIUM_HOME": home,
        "PODIUM_LOG_LEVEL": "ERROR",
    }
    import django

    django.setup()
    _submit(Path(entry), Path(data))

    from django.conf import settings

    from competition.submissions.models import Evaluation
    from scoring.contracts import Status
    from scoring.sandbox.bubblewrap import BubblewrapSandbox
    from scoring.worker.evaluate import Workplace, drain
    from scoring.worker.site import SitePorts

    ports = SitePorts(owner="bench", queue="cpu", sandbox=BubblewrapSandbox(), cache=settings.CACHE_DIR)
    workplace = Workplace(work_root=settings.HOME / "work", lease_s=settings.LEASE_S)
    cold = taken(lambda: drain(ports, workplace))
    status = Evaluation.objects.get().status
    if status != Status.SCORED:
        raise RuntimeError(f"the evaluation ended as {status}")
    return asdict(cold) | {"peak_mb": peak_mb()}


def _submit(entry: Path, data: Path) -> None:
    from django.contrib.auth.models import User
    from django.core.files import File
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("sync_tracks", "cvpr2022-track1", competition="bench", data=data, open=True, verbosity=0)

    from competition.submissions import services
    from competition.tracks.models import Track

    user = User.objects.create_user("bench")
    with entry.open("rb") as opened:
        services.accept_submission(
            participant=user, track=Track.objects.get(), upload=File(opened, name=entry.name), name=entry.name
        )
