"""`make mutants`: break the product one line at a time and see whether the tests notice.

Of each module of `targets.py` some mutants are drawn by a seed, and the module's own tests run against each.
A mutant is killed when a test fails, or when the tests take too long. One that survives asks for a test, or
for a line in `equivalent.toml` that says why nobody could tell it from the original.

It is our own since mutmut leaves decorated functions alone, which here are all that write to the database,
and cosmic-ray writes into the working tree; neither drops a keyword or swaps `min` and `max`.
"""

from __future__ import annotations

import argparse
import random
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from tests.mutants.operators import Mutant, mutants, mutated
from tests.mutants.running import PAUSE_S, ROOT, End, Trial, load_libraries, start
from tests.mutants.targets import TARGETS, Target

EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")
MOST_TIMES_AS_LONG: Final = 5
LEAST_LIMIT_S: Final = 60.0


def main() -> int:
    """Break the modules, print what survived, and return 1 if anything did."""
    asked = _arguments()
    targets = [target for target in TARGETS if any(name in target.module for name in asked.modules or [""])]
    load_libraries(sorted({test for target in targets for test in target.tests}))
    survived = sum(_report(target, asked) for target in targets)
    print(f"{survived} survived")
    return 1 if survived else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.run", description=__doc__)
    parser.add_argument("modules", nargs="*", help="parts of paths; without one, every module of the list")
    parser.add_argument("--each", type=int, default=12, help="mutants drawn of each module; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="what the draw depends on")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at once")
    return parser.parse_args()


def _report(target: Target, asked: argparse.Namespace) -> int:
    """Run a module's mutants and say what came of them; return how many survived."""
    source = (ROOT / target.module).read_text("utf-8")
    known = equivalents().get(target.module, {})
    drawn = draw(mutants(source), most=asked.each, seed=f"{asked.seed} {target.module}")
    unknown = [mutant for mutant in drawn if mutant.name not in known]
    ended = dict(_ends(target, source, unknown, jobs=asked.jobs))
    counts = ", ".join(f"{list(ended.values()).count(end)} {word}" for end, word in WORDS.items())
    print(f"{target.module}: {counts}, {len(drawn) - len(unknown)} equivalent", flush=True)
    survivors = [mutant for mutant in unknown if ended[mutant] is End.PASSED]
    for mutant in survivors:
        print(f"    line {mutant.line}, {mutant.name}", flush=True)
    return len(survivors)


WORDS: Final = {End.FAILED: "killed", End.TIMED_OUT: "timed out", End.PASSED: "survived"}


def draw(found: Sequence[Mutant], *, most: int, seed: str) -> list[Mutant]:
    """Return `most` of the mutants, the same ones for the same seed and module; all of them for 0."""
    if not most or most >= len(found):
        return list(found)
    return [found[place] for place in sorted(random.Random(seed).sample(range(len(found)), most))]


def equivalents() -> Mapping[str, Mapping[str, str]]:
    """Return the mutants that nobody could tell from the original, by module, each with the reason."""
    return tomllib.loads(EQUIVALENT.read_text("utf-8"))


def _ends(
    target: Target, source: str, chosen: Sequence[Mutant], *, jobs: int
) -> Iterator[tuple[Mutant, End]]:
    limit_s = _limit_s(target, source)
    waiting = list(reversed(chosen))
    running: dict[Mutant, Trial] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            code = compile(mutated(source, mutant), target.module, "exec")
            running[mutant] = start(target.module, code, target.options, limit_s=limit_s)
        time.sleep(PAUSE_S)
        for mutant, trial in list(running.items()):
            if end := trial.end():
                del running[mutant]
                yield mutant, end


def _limit_s(target: Target, source: str) -> float:
    """Run the tests against the module as it is: they must pass, and tell how long they may take."""
    started = time.monotonic()
    code = compile(source, target.module, "exec")
    with NamedTemporaryFile() as log:
        trial = start(target.module, code, target.options, limit_s=3600, log=Path(log.name))
        if trial.wait() is not End.PASSED:
            told = Path(log.name).read_text("utf-8", "replace")
            raise SystemExit(f"{told}\n{target.module}: its tests fail before anything is broken")
    return max(LEAST_LIMIT_S, MOST_TIMES_AS_LONG * (time.monotonic() - started))


if __name__ == "__main__":
    raise SystemExit(main())
