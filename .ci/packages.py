"""Make .venv, install Podium's packages into it and say how far that is: `python .ci/packages.py [EXTRA ...]`.

Without an EXTRA of pyproject.toml it installs what running Podium needs. It works with any Python that can run
Podium, before anything is installed: standard library only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON: Final = ROOT / ".venv" / "bin" / "python"
PINS: Final = ROOT / "env.txt"
CONSTRAINTS: Final = ROOT / ".ci" / "constraints.txt"
"""Podium's own pins, which begin with those of env.txt."""
TORCH: Final = (
    "torch and what it needs: 200 MB for processors alone, some GB with CUDA (README.md: TORCH_INDEX)"
)
LARGE_MB: Final = 10.0
LOOKED_UP_AT_ONCE: Final = 25
LAST_LINES: Final = 12

# What pip or a build says, and what to do about it.
REMEDIES: Final = (
    (
        r"No space left on device",
        "The disk is full: Podium's packages take 3 GB with pip's cache.",
    ),
    (
        r"Temporary failure in name resolution|NewConnectionError|ConnectTimeout|ProxyError|Read timed out",
        "The package index did not answer. Check the network, set PIP_INDEX_URL or HTTPS_PROXY if you need them, "
        "and run make again; what was downloaded is kept.",
    ),
    (
        r"No matching distribution found",
        "The index has no such package for this Python and system. Try another Python: "
        "`make clean`, then `make setup PYTHON=python3.12`.",
    ),
    (
        r"gcc|clang|[Cc]ompiler|Python\.h|error: command .* failed|Failed (?:to build|building)",
        "The index has no ready-made package for this Python and system, and building it failed. Try another Python "
        "(`make clean`, then `make setup PYTHON=python3.12`), or install a C++ compiler and Python's headers.",
    ),
)


def main(extras: list[str]) -> int:
    """Install, or say what went wrong and what to do; return the exit code."""
    say = _teller()
    try:
        if not PYTHON.exists():
            say("making a virtual environment in .venv")
            _run([sys.executable, "-m", "venv", str(PYTHON.parent.parent)])
        if extras:
            _install(["--editable", f".[{','.join(extras)}]"], f"packages for {' and '.join(extras)}", say)
        else:
            _install_product(say)
        say("compiling to byte code")
        subprocess.run(
            _compilation(), cwd=ROOT, check=False
        )  # some packages bring files that are no Python 3
    except subprocess.CalledProcessError as exc:
        print(explain(exc.output or ""), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run make again to go on.", file=sys.stderr)
        return 130
    say("all packages are installed")
    return 0


def _install_product(say: Callable[[str], None]) -> None:
    """Install torch, the largest, and compile it while the others are downloaded."""
    torch = next(line for line in PINS.read_text("utf-8").splitlines() if line.startswith("torch=="))
    index = os.environ.get("TORCH_INDEX", "")
    _install([*(["--index-url", index] if index else []), torch], TORCH, say)
    with subprocess.Popen(_compilation(), cwd=ROOT):
        _install(["--editable", ".[worker]"], "Podium and what it needs", say)


def _install(what: list[str], title: str, say: Callable[[str], None]) -> None:
    say(title)
    # Compiling with all processors, afterwards, takes less time than pip's own way with one.
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
    command += ["--progress-bar", "off", "--no-color", "--constraint", str(CONSTRAINTS), *what]
    _run(command, tell=lambda lines: _tell(news(lines), say))


def _compilation() -> list[str]:
    """Return the command that compiles everything, with all processors, but for the packages' own tests."""
    options = ["-qq", "-j", "0", "-x", "/tests?/"]
    return [str(PYTHON), "-m", "compileall", *options, ".venv/lib", "scoring", "competition"]


def _run(command: list[str], tell: Callable[[Iterable[str]], None] | None = None) -> None:
    """Run a command, its lines given to `tell`; raises CalledProcessError, with the last lines, if it fails."""
    last: deque[str] = deque(maxlen=200)
    with subprocess.Popen(
        command, cwd=ROOT, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        lines = _kept(process.stdout or (), last)
        tell(lines) if tell else deque(lines, maxlen=0)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output="".join(last))


def _kept(lines: Iterable[str], last: deque[str]) -> Iterator[str]:
    for line in lines:
        last.append(line)
        yield line


def _tell(texts: Iterable[str], say: Callable[[str], None]) -> None:
    for text in texts:
        say(f"  {text}")


def _teller() -> Callable[[str], None]:
    """Return what prints a line with the seconds since now before it."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {text}", flush=True)

    return say


def news(lines: Iterable[str]) -> Iterator[str]:
    """Yield what a person wants to know of pip's many lines."""
    looked_up = 0
    for line in lines:
        if line.startswith("Collecting "):
            looked_up += 1
            if looked_up % LOOKED_UP_AT_ONCE == 0:
                yield f"{looked_up} packages found"
        elif large := re.match(
            r"\s*(Downloading|Using cached) (\S+?)-(\d[^-]*)-\S+ \(([\d.]+) (MB|GB)\)", line
        ):
            how, name, version, size, unit = large.groups()
            if unit == "GB" or float(size) >= LARGE_MB:
                yield f"{'downloading' if how == 'Downloading' else 'cached:'} {name} {version} ({size} {unit})"
        elif line.startswith("Installing collected packages: "):
            yield f"unpacking {line.count(',') + 1} packages"


def explain(output: str) -> str:
    """Return the last lines of what failed and, where it is known, what to do about it."""
    shown = "\n".join(f"  {line}" for line in output.strip().splitlines()[-LAST_LINES:])
    remedy = next((words for pattern, words in REMEDIES if re.search(pattern, output)), "")
    return "\n".join(part for part in ("Installing packages failed:", shown, remedy) if part)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
