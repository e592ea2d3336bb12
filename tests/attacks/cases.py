"""What the folders here say: a case in `case.yaml`, beside it the entry's files or a `build.py`.

`Case` lists the fields. A folder is named for its family and for what it tries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

HERE: Final = Path(__file__).parent
FAMILIES: Final = {
    "out": "Carry hidden data out",
    "down": "Bring the worker down or use it up",
    "in": "Break in, or tamper with what is trusted",
    "lies": "Get past a budget, or score what was not counted",
}
LAYERS: Final = {
    "graph": "only the counted graph meets hidden inputs, in a sandbox without the entry's code",
    "formulas": "every operator has a formula; a product that nobody can count is refused",
    "weights": "values are counted wherever they are kept: in modules, constants, buffers and files",
    "static": "files and graphs are counted outside, without running them",
    "agreement": "the graph must answer as the entry does, on inputs that the entry has never seen",
    "repeats": "a share of the hidden samples runs twice, in other batches",
    "processor time": "processor time is read outside, and bounded by the MAC budget",
    "bytes": "the files may weigh four bytes for each allowed parameter",
    "reply": "the reply is a closed form under a cap, and the entry cannot write the one that counts",
    "silence": "of a run that sees hidden inputs, only Podium's own words are shown",
    "rounding": "numbers that hidden data could set are rounded before anyone sees them",
    "network": "the sandbox has an empty network",
    "files": "the sandbox has an empty, read-only file system and a small /tmp of its own",
    "environment": "the sandbox has an empty environment",
    "user": "the sandbox runs as a user of its own, without capabilities",
    "system calls": "a filter on system calls",
    "no processes": "an entry starts no processes",
    "limits": "time, memory, files and printed text are limited, and watched from outside",
    "death": "every process is dead before a byte of the reply is read",
    "archive": "archives are unpacked under limits; names are checked, and links stand for copies of files inside",
    "parser": "documents are read by strict parsers, with caps, and without aliases and tags",
    "no pickles": "nothing is unpickled outside the sandbox, nor for state dicts inside",
    "own modules": "an entry's modules are its own, and never stand in for ours",
    "escaping": "pages show what entrants wrote as text",
    "metric": "outputs are checked and scored outside",
    "fresh start": "each run begins from the same files, with nothing left from the run before",
}
OF_COUNTING: Final = frozenset(
    {"graph", "formulas", "weights", "static", "agreement", "repeats", "bytes", "metric", "own modules"}
)
"""Layers that hold wherever the entry runs: no sandbox has a part in them."""
RUNS: Final = frozenset({"check", "score", "site", "request"})
"""Two commands; an upload to the site, evaluated by a worker there; requests to the site."""
PASSED: Final = frozenset({"accepted", "scored"})
BAD_REQUEST: Final = "400"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One attack.

    `wants`: what the attacker wants, one sentence. `layers`: the two that stop it, the first one first.
    `run`: the way in. `ends`: the codes with which it may end; `accepted` and `scored` are among them, and
    the status that answers a request.
    `preset` and `track`: the preset, and what differs from it (see `arena`). `entry`: as in a golden case.

    What is seen from outside, beyond what holds of every case (see `effects`): `counted`, numbers that the
    usage must reach; `score`, the accuracy of an entry that was scored; `never_shown`, texts that no
    participant may read in the report, its times and usage left out; `never_run`, texts that no page may
    hold as they are; `shown`, texts that the log must have, which prove that the attack took place;
    `then_honest`: another entry scores as ever afterwards.
    The attack takes place `times` times in a row. On the site, the entry is uploaded as `upload_name`; a
    case of `requests` has none: each is a `path` and a `text` that is sent `times` times. `pending`: what
    the case still waits for. `in_bubblewrap`: its lie looks at what only the real sandbox shows.
    """

    name: str
    wants: str
    layers: tuple[str, str]
    run: str
    ends: tuple[str, ...]
    preset: str = "cvpr2022-track1"
    track: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    score: float | None = None
    never_shown: tuple[str, ...] = ()
    never_run: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    then_honest: bool = False
    times: int = 1
    upload_name: str = ""
    requests: tuple[Mapping[str, Any], ...] = ()
    pending: str = ""
    in_bubblewrap: bool = False

    @property
    def folder(self) -> Path:
        return HERE / self.name

    @property
    def family(self) -> str:
        return self.name.partition("_")[0]

    @property
    def is_only_counted(self) -> bool:
        """Whether nothing but counting, comparing and scoring stops it: wherever its children run, it ends the same."""
        return self.family == "lies" and OF_COUNTING.issuperset(self.layers) and not self.in_bubblewrap


def read(folder: Path) -> Case:
    """Return the case of a folder; raises ValueError for what it does not know."""
    content = yaml.safe_load((folder / "case.yaml").read_text("utf-8"))
    known = {each.name for each in fields(Case)} - {"name"}
    if unknown := content.keys() - known:
        raise ValueError(f"{folder.name}: unknown fields {sorted(unknown)}")
    lists = {
        name: tuple(str(each) if name == "ends" else each for each in value)
        for name, value in content.items()
        if isinstance(value, list)
    }
    return Case(name=folder.name, **{**content, **lists})


def params(*runs: str) -> list[object]:
    """Return the cases of these runs for tests; one that waits for its defence fails until that is there."""
    return [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.xfail(reason=case.pending, strict=True)] if case.pending else [],
        )
        for case in all_cases()
        if case.run in runs
    ]


@cache
def all_cases() -> tuple[Case, ...]:
    """Return every case, sorted by name."""
    return tuple(read(path.parent) for path in sorted(HERE.glob("*/case.yaml")))
