"""The packages that entries run with: as env.txt pins them, and as they are installed here.

env.txt is what participants read and build for, so it is the truth of the site, which may lie on another
machine than its workers and never loads these packages. A worker compares it with what is installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

# Beside the packages in a checkout and in the containers; a wheel does not bring it.
ENV_FILE: Final = Path(__file__).parents[1] / "env.txt"
DECISIVE: Final = ("torch", "torchvision", "timm", "onnxruntime", "numpy", "opencv-python-headless", "av")
"""Packages whose version can change a prediction or an input, if only in its last bits."""
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def pins() -> Mapping[str, str] | None:
    """Return the versions of env.txt by canonical name, None where it is not installed."""
    if not ENV_FILE.is_file():
        return None
    return {canonical(name): version for name, version in _PIN.findall(ENV_FILE.read_text("utf-8"))}


def canonical(name: str) -> str:
    """Return the name of a package as pip compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(name: str) -> str | None:
    """Return the installed version of a package, None if there is none; nothing is imported."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def release(version: str) -> str:
    """Return a version without its local label: “+cpu” names a build of the same release."""
    return version.partition("+")[0]


def entry_environment() -> dict[str, str]:
    """Return the decisive packages of env.txt with their versions; without env.txt, what is installed."""
    pinned = pins()
    return installed_environment() if pinned is None else _decisive(pinned)


def installed_environment() -> dict[str, str]:
    """Return the decisive packages that are installed here, with their releases."""
    return _decisive({name: found for name in DECISIVE if (found := installed(name))})


def unpinned_packages() -> tuple[str, ...]:
    """Return, in words, the decisive packages that are not installed as env.txt pins them."""
    here = installed_environment()
    return tuple(
        f"env.txt pins {name} {version}; {here.get(name, 'nothing')} is installed"
        for name, version in entry_environment().items()
        if here.get(name) != version
    )


def _decisive(versions: Mapping[str, str]) -> dict[str, str]:
    return {name: release(versions[name]) for name in DECISIVE if name in versions}
