"""What `.ci/packages.py` says while it installs, and when that fails."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
OF_THE_INTERPRETER = {"pip", "setuptools"}


def pinned(file: str) -> set[str]:
    return {canonicalize_name(name) for name in PIN.findall((ROOT / file).read_text("utf-8"))}


def needs(package: str) -> set[str]:
    """Return what an installed package requires here, without extras."""
    wanted = map(Requirement, metadata.requires(package) or [])
    return {
        canonicalize_name(one.name)
        for one in wanted
        if one.marker is None or one.marker.evaluate({"extra": ""})
    }


def test_what_entries_can_import_is_closed_under_what_it_needs():
    entries = pinned("env.txt")

    assert {need for package in entries for need in needs(package)} - OF_THE_INTERPRETER <= entries


def test_the_site_s_and_the_worker_s_own_packages_are_not_what_entries_can_import():
    own = pinned(".ci/constraints.txt")

    assert not own & pinned("env.txt")
    assert {"django", "djangorestframework", "celery", "boto3", "redis", "typer", "pytest"} <= own


@pytest.fixture(scope="module")
def packages():
    spec = importlib.util.spec_from_file_location("packages", ROOT / ".ci/packages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_large_downloads_are_named_with_their_size(packages):
    lines = [
        "Downloading torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)\n",
        "  Downloading scikit_learn-1.9.1-cp311-cp311-manylinux_2_28_x86_64.whl (9.1 MB)\n",
        "Using cached opencv_python_headless-5.0.0.93-cp37-abi3-manylinux_2_28_x86_64.whl (61.2 MB)\n",
        "Downloading cuda_everything-13.0-py3-none-manylinux_2_28_x86_64.whl (1.2 GB)\n",
    ]

    assert list(packages.news(lines)) == [
        "downloading torch 2.13.0+cpu (191.8 MB)",
        "cached: opencv_python_headless 5.0.0.93 (61.2 MB)",
        "downloading cuda_everything 13.0 (1.2 GB)",
    ]


def test_the_search_for_packages_is_told_now_and_then(packages):
    lines = [f"Collecting package{number}\n" for number in range(2 * packages.LOOKED_UP_AT_ONCE + 1)]

    assert list(packages.news(lines)) == ["25 packages found", "50 packages found"]


def test_unpacking_is_told_with_the_number_of_packages(packages):
    assert list(packages.news(["Installing collected packages: numpy, scipy, torch\n"])) == [
        "unpacking 3 packages"
    ]


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("Failed to establish a new connection: Temporary failure in name resolution", "Check the network"),
        (
            "WARNING: ... NewConnectionError ...\nERROR: No matching distribution found for torch==2.13.0",
            "Check the network",
        ),
        ("ERROR: No matching distribution found for torch==2.13.0", "no such package for this Python"),
        ("error: command 'gcc' failed: No such file or directory", "install a C++ compiler"),
    ],
)
def test_a_failure_shows_its_last_lines_and_what_to_do(packages, output, remedy):
    words = packages.explain(output)

    assert output.splitlines()[-1] in words
    assert remedy in words


def test_an_unknown_failure_shows_its_last_lines_only(packages):
    assert packages.explain("a\nsomething new\n") == "Installing packages failed:\n  a\n  something new"


def test_installing_ends_with_an_error_where_pip_fails(tmp_path):
    """A copy with a virtual environment whose pip cannot be run."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/packages.py").write_bytes((ROOT / ".ci/packages.py").read_bytes())
    (tmp_path / "env.txt").write_text("torch==0.0\n")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho No space left on device\nexit 1\n")
    python.chmod(0o755)

    run = subprocess.run(
        [sys.executable, tmp_path / ".ci/packages.py"], capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert "torch and what it needs" in run.stdout
    assert "The disk is full" in run.stderr


def test_only_development_installs_what_tests_checks_and_docs_need():
    told = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert "packages.py\n" in told
    assert "dev" not in told.replace("/dev/", "")
    assert "chromium" not in told


@pytest.fixture
def bare(tmp_path):
    """Run the script for system packages on a system that has little else than a shell."""

    def run(*arguments, system="Linux"):
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir(exist_ok=True)
        scripts = {"uname": f"echo {system}", "id": "echo 1000", "grep": "exit 1", "ldconfig": "exit 0"}
        for name, line in scripts.items():
            (bin_folder / name).write_text(f"#!/bin/sh\n{line}\n")
            (bin_folder / name).chmod(0o755)
        command = [shutil.which("bash"), ROOT / ".ci/system-packages", *arguments]
        return subprocess.run(
            command, env={"PATH": str(bin_folder)}, capture_output=True, text=True, check=False
        )

    return run


def test_without_permission_it_says_what_to_install_and_goes_on(bare):
    run = bare()

    assert run.returncode == 0
    assert "as root (the names are Debian's): bubblewrap libseccomp2 util-linux" in run.stdout
    assert "chromium" not in run.stdout


def test_the_demo_stops_before_it_downloads_anything(bare):
    assert bare("required").returncode == 1


def test_a_library_that_may_lie_elsewhere_stops_nothing(bare, tmp_path):
    bare()
    (tmp_path / "bin/bwrap").symlink_to("/bin/true")

    run = bare("required")

    assert run.returncode == 0
    assert "libseccomp2" in run.stdout


def test_tests_go_on_without_chromium_and_say_so(bare):
    run = bare("chromium")

    assert run.returncode == 0
    assert "chromium" in run.stdout


@pytest.mark.parametrize(("argument", "code"), [([], 0), (["required"], 1), (["chromium"], 0)])
def test_another_system_is_told_what_works_there(bare, argument, code):
    run = bare(*argument, system="Darwin")

    assert run.returncode == code
    assert "needs Linux" in run.stdout
    assert "--trust" in run.stdout
