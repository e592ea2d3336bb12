"""What must be so after an attack, seen from outside: of every case, and of those that name it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.attacks.arena import MEMORY_BYTES, Ending
from tests.attacks.cases import PASSED, Case
from tests.attacks.surroundings import Surroundings

WATCHER_LAG_BYTES: Final = 2**29
"""How much may be touched between two looks at the memory of a run."""
NUMBER: Final = re.compile(r"\d[\d,]*")
OVER_BUDGET: Final = {"parameters": "parameters_over_budget", "macs": "macs_over_budget"}


def unwanted(case: Case, ending: Ending) -> Iterator[str]:
    """Yield what of the case's own expectations does not hold."""
    if ending.end not in case.ends:
        yield f"ended as {ending.end}, not as {' or '.join(case.ends)}: {ending.report['message']}"
    for name, least in case.counted.items():
        if not _refused_for_another_reason(ending, name) and (_counted(ending.report, name) or 0) < least:
            yield f"{name} counted: {_counted(ending.report, name)}, truly at least {least}"
    scores = ending.report["scores"]
    if case.score is not None and scores and scores["accuracy"]["value"] != case.score:
        yield f"scored {scores['accuracy']['value']} instead of {case.score}"
    told = json.dumps({**ending.report, "timings_s": None, "usage": None}, ensure_ascii=False)
    yield from (f"shown: {text}" for text in case.never_shown if text in told)
    log = ending.report["log"] or ""
    yield from (f"not in the log: {text}" for text in case.shown if text not in log)


def harm(around: Surroundings, ending: Ending, *, before: Mapping[str, str]) -> Iterator[str]:
    """Yield what holds of no attack: something changed, someone called, a secret shown, a process left."""
    after = around.fingerprint()
    yield from (f"changed: {path}" for path, digest in before.items() if after.get(path) != digest)
    yield from (f"new: {path}" for path in after.keys() - before.keys() if not path.endswith(".npy"))
    yield from (f"left in the temporary folder: {name}" for name in around.left_behind())
    if calls := around.callers():
        yield f"{calls} listeners of the host were called"
    yield from (f"shown: the {name}" for name in shown_secrets(around, ending.printed))
    if ending.left_alive:
        yield f"still alive: {ending.left_alive}"
    if ending.peak_memory_bytes > MEMORY_BYTES + WATCHER_LAG_BYTES:
        yield f"took {ending.peak_memory_bytes:,} bytes of memory"


def shown_secrets(around: Surroundings, printed: str) -> list[str]:
    """Return which secrets stand in what was printed, plain or in a usual disguise."""
    secrets = {
        "hidden pictures": around.picture_secret,
        "file of the host": around.file_secret,
        "environment": around.environment_secret,
        "folders of the host": str(around.root / "tmp"),
    }
    return [name for name, secret in secrets.items() if any(form in printed for form in _forms(secret))]


def _forms(secret: str) -> tuple[str, ...]:
    raw = secret.encode()
    numbers = ", ".join(str(byte) for byte in raw)
    return secret, raw.hex(), base64.b64encode(raw).decode().rstrip("=")[:-1], numbers, secret[::-1]


def _refused_for_another_reason(ending: Ending, name: str) -> bool:
    return ending.end not in PASSED and ending.end != OVER_BUDGET[name]


def _counted(report: Mapping[str, Any], name: str) -> int | None:
    """Return what was counted: in the usage, or, where that ended the work, the first number told of it."""
    usage = (report["usage"] or {}).get(name)
    told = [each["message"] for each in report["findings"] if each["code"] == OVER_BUDGET[name]]
    found = [int(number.replace(",", "")) for text in told for number in NUMBER.findall(text)[:1]]
    return max([each for each in (usage, *found) if each is not None], default=None)
