"""What each part of Podium runs without: `podium submit` without torch and Django, the site without torch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
RUN = """
import json, sys
class Absent:
    names = set(json.loads(sys.argv.pop(1)))
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
PODIUM = f"{RUN}\nimport scoring.cli\nscoring.cli.main()"
MANAGE = f"{RUN}\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)"


def modules_of(*extras: str) -> list[str]:
    wanted = {
        re.split(r"[<>=\[]", line)[0].lower().replace("_", "-") for name in extras for line in EXTRAS[name]
    }
    found = packages_distributions()
    return sorted(
        module for module, names in found.items() if wanted & {n.lower().replace("_", "-") for n in names}
    )


def run(code: str, without: Iterable[str], *arguments: object, **environment: str):
    command = [sys.executable, "-c", code, json.dumps(list(without)), *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def neither() -> list[str]:
    found = modules_of("check", "site")
    assert {"torch", "onnx", "cv2", "django", "celery"} <= set(found)
    return found


def test_submitting_needs_neither_torch_nor_django(neither, tmp_path):
    entry = tmp_path / "entry.zip"
    entry.write_bytes(b"whatever")

    ended = run(
        PODIUM,
        neither,
        "submit",
        entry,
        "--track",
        "cats",
        "--server",
        "http://127.0.0.1:9",
        PODIUM_TOKEN="t",
    )

    assert "Error" not in ended.stderr
    assert "127.0.0.1:9" in ended.stdout + ended.stderr
    assert ended.returncode == 3


@pytest.mark.parametrize("command", [("check",), ("score", "--data", ".")])
def test_a_command_that_needs_torch_says_what_to_install(neither, command, tmp_path):
    (tmp_path / "model.py").write_text("")
    name, *more = command

    ended = run(PODIUM, neither, name, tmp_path, "--track", "cvpr2022-track1", *more)

    assert ended.returncode == 2
    assert 'pip install "podium[check]"' in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_doctor_without_torch_says_what_to_install(neither):
    ended = run(PODIUM, neither, "doctor")

    assert (ended.returncode, "podium[check]" in ended.stderr) == (2, True)


def test_the_site_needs_nothing_of_what_entries_run_with(tmp_path):
    without = set(modules_of("check")) - set(modules_of("site"))  # both read pictures
    ended = run(MANAGE, without, "check", PODIUM_HOME=str(tmp_path))

    assert ended.returncode == 0, ended.stderr
