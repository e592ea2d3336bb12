"""From claim to score on a real database and in the real sandbox, cold, and the worker's own memory.

A small model on 32 images leaves hardly anything but overhead; its forward passes take well under a second.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.models import say, write_images, write_onnx_entry, write_zip_entry

MODULE = "tests.benchmarks.bench_overhead"
BOUND_S = 8.0
BOUND_MB = 400
MODEL = "mobilenet_v3_small"
SAMPLES = 32


def main() -> int:
    """Print seconds and megabytes for both formats; return 1 if one is over its bound."""
    worst_s = worst_mb = 0.0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_images(root / "data", SAMPLES)
        entries = [write_zip_entry(root / "entry.zip", MODEL), write_onnx_entry(root / "entry.onnx", MODEL)]
        for entry in entries:
            environment = {
                **os.environ,
                "PODIUM_HOME": str(root / entry.suffix[1:]),
                "PODIUM_LOG_LEVEL": "ERROR",
            }
            command = [sys.executable, "-m", MODULE, str(entry), str(root / "data")]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            seconds, megabytes = map(float, done.stdout.split()[-2:])
            say(entry=entry.suffix, claim_to_score_s=round(seconds, 2), worker_peak_mb=round(megabytes))
            worst_s, worst_mb = max(worst_s, seconds), max(worst_mb, megabytes)
    say(seconds_of_bound=round(worst_s / BOUND_S, 2), memory_of_bound=round(worst_mb / BOUND_MB, 2))
    return int(worst_s > BOUND_S or worst_mb > BOUND_MB)


def evaluate(entry: Path, data: Path) -> tuple[float, float]:
    """Evaluate one submission as a worker does; return seconds from claim to score and peak megabytes."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")
    django.setup()

    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.files import File
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("sync_tracks", "cvpr2022-track1", competition="bench", data=data, open=True, verbosity=0)

    from competition.submissions import services
    from competition.submissions.models import Evaluation
    from competition.tracks.models import Track
    from scoring.contracts import Status
    from scoring.sandbox.bubblewrap import BubblewrapSandbox
    from scoring.worker.evaluate import Workplace, drain
    from scoring.worker.site import SitePorts

    user = User.objects.create_user("bench")
    with entry.open("rb") as opened:
        services.accept_submission(
            participant=user, track=Track.objects.get(), upload=File(opened, name=entry.name), name=entry.name
        )
    ports = SitePorts(owner="bench", queue="cpu", sandbox=BubblewrapSandbox(), cache=settings.CACHE_DIR)
    started = time.perf_counter()
    drain(ports, Workplace(work_root=settings.HOME / "work", lease_s=settings.LEASE_S))
    seconds = time.perf_counter() - started
    status = Evaluation.objects.get().status
    if status != Status.SCORED:
        raise RuntimeError(f"the evaluation ended as {status}")
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 10**6


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*evaluate(Path(sys.argv[1]), Path(sys.argv[2])))
        sys.exit()
    sys.exit(main())
