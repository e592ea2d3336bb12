"""Environments for tests: made of local files alone, and as small as each test allows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

from scoring.environment import OF_THE_CHILD, canonical, release

BUILT_FOR_PIP = {"pip", "setuptools"}


def site_packages(home: Path) -> Path:
    """Return where packages of a virtual environment lie."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))


def pretend_installed(home: Path, versions: Mapping[str, str]) -> None:
    """Make a virtual environment look as if these packages were installed, without any of their files."""
    for name, version in versions.items():
        (site_packages(home) / f"{re.sub(r'[-.]', '_', name)}-{version}.dist-info").mkdir(parents=True)


def write_wheel(
    folder: Path, name: str, version: str, *, source: str = "", requires: Iterable[str] = ()
) -> Path:
    """Write a wheel of one pure Python module."""
    about = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {need}\n" for need in requires)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", source)
        wheel.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        )
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{about}/RECORD", f"{name}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n"
        )
    return path


def make_with_the_child_s_packages(home: Path) -> dict[str, str]:
    """Make a virtual environment with what our child needs, linked from Podium's own; return its versions."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    found = _with_needs(OF_THE_CHILD)
    for package in found.values():
        _link(package, site_packages(home))
    return {name: release(package.version) for name, package in found.items()}


def _with_needs(names: Iterable[str]) -> dict[str, metadata.Distribution]:
    """Return installed packages by name, and all that they need."""
    waiting, found = [canonical(name) for name in names], {}
    while waiting:
        name = waiting.pop()
        if name in found or name in BUILT_FOR_PIP:
            continue
        found[name] = metadata.distribution(name)
        wanted = map(Requirement, found[name].requires or [])
        waiting += [
            canonical(one.name) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
    return found


def _link(package: metadata.Distribution, into: Path) -> None:
    for file in package.files or ():
        # Scripts lie elsewhere, and tests are never imported.
        if ".." in file.parts or "tests" in file.parts:
            continue
        source, target = Path(str(package.locate_file(file))), into / file
        # Linked, a file has the time of change that its byte code is valid for.
        compiled = (
            [Path(cache_from_source(path)) for path in (source, target)] if source.suffix == ".py" else []
        )
        for one, other in ((source, target), compiled or (source, target)):
            if one.is_file():
                other.parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(one, other)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:  # another file system
        target.write_bytes(source.read_bytes())
