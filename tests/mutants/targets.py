"""Which modules are broken on purpose, and which tests are to notice: the one list of `make mutants`.

A module's tests are its own quick ones. None needs a sandbox, and what takes many seconds is left out, since
all of them run once for each mutant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SLOW: Final = "probe_inputs_are_different_real"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A module and the tests that are about it."""

    module: str
    tests: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """Return what pytest is told, beside what it is told for every module."""
        return (*self.tests, "-k", f"not ({SLOW})")


def _modules(folder: str, names: str, tests: str) -> tuple[Target, ...]:
    found = tuple(f"tests/{folder}/test_{test}.py" for test in tests.split())
    return tuple(Target(module=f"{folder}/{name}.py", tests=found) for name in names.split())


TARGETS: Final = (
    *_modules("competition/tracks", "access", "access"),
    *_modules(
        "competition/submissions", "lifecycle/leases lifecycle/requests lifecycle/transitions", "lifecycle"
    ),
    *_modules("competition/submissions", "lifecycle/outcomes", "lifecycle reports"),
    *_modules("competition/submissions", "queue", "queue"),
    *_modules("competition/submissions", "quotas", "services quotas"),
    *_modules("competition/leaderboard", "ranking", "ranking latency_gate"),
    *_modules("scoring/budget", "enforce", "enforce"),
    *_modules("scoring/budget", "allowance", "allowance"),
    *_modules("scoring/sandbox", "exchange reply", "exchange export_exchange reply rewritten"),
    *_modules("scoring/flow", "runs stages", "pipeline pipeline_parts"),
    *_modules(
        "scoring/readers",
        "arrays digests image prepared undecodable",
        "image corners digests prepared undecodable",
    ),
    *_modules("scoring/readers", "media", "audio video"),
    *_modules("scoring/readers", "fitting", "fitting"),
    *_modules("scoring/readers", "truth", "truth corners"),
    *_modules("scoring/readers", "audio", "audio"),
    *_modules("scoring/readers", "voices", "audio voices"),
    *_modules("scoring/readers", "video", "video"),
    *_modules("scoring/readers", "augmentation", "augmentation"),
    *_modules("scoring/readers", "robustness", "robustness"),
    *_modules("scoring/readers", "copies", "copies"),
)
