"""The packages that entries run with: as files pin them, and as they are installed here.

env.txt is the environment of all tracks that name no other, and is installed together with Podium. Another one
is a file NAME.txt beside it in kind, and a virtual environment of its own that a sandbox is shown in place of
Podium's. The files are what participants read and build for, so they are the truth of the site, which may lie on
another machine than its workers and never loads these packages. A worker compares them with what is installed.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from scoring.contracts import DEFAULT_ENVIRONMENT, ENVIRONMENT_NAME, digest_of

# Beside the packages in a checkout and in the containers; a wheel does not bring it.
ENV_FILE: Final = Path(__file__).parents[1] / "env.txt"
SHIPPED: Final = Path(__file__).with_name("environments")
SUFFIX: Final = ".txt"
DECISIVE: Final = ("torch", "torchvision", "timm", "onnxruntime", "numpy", "opencv-python-headless", "av")
"""Packages whose version can change a prediction or an input, if only in its last bits."""
OF_THE_CHILD: Final = (
    *(
        "torch",
        "torchvision",
        "timm",
        "numpy",
        "safetensors",
        "onnx",
        "onnxruntime",
        "onnx2torch",
        "onnxscript",
    ),
    *("fvcore", "ptflops", "pillow", "pyyaml"),
)
"""What our half of a sandboxed process imports: the same versions in every environment, since one code serves all."""
OF_TORCH_ITSELF: Final = ("nvidia-", "cuda-", "triton")
"""How packages begin that a build of torch brings for its hardware: no list that is to serve all pins them."""
NAMED_OTHERWISE: Final[Mapping[str, str]] = {
    "cv2": "opencv-python-headless",
    "google": "protobuf",
    "open_clip": "open_clip_torch",
    "PIL": "pillow",
    "pywt": "PyWavelets",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Packages that are not called as what is imported of them; entries import no others of our lists' like that."""
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


# --- as files pin them ---------------------------------------------------------------------------


def folder() -> Path:
    """Return the folder of virtual environments, and of lists that are an organiser's own."""
    return Path(os.environ.get("PODIUM_ENVIRONMENTS") or ENV_FILE.parent / "var" / "environments")


def is_name(name: str) -> bool:
    """Say whether an environment can have that name: it is a part of paths and addresses."""
    return re.fullmatch(ENVIRONMENT_NAME, name) is not None


def file_of(name: str) -> Path | None:
    """Return the file that pins an environment, None where there is none of that name here."""
    if name == DEFAULT_ENVIRONMENT:
        files = [ENV_FILE]
    elif is_name(name):
        # What ships with Podium comes first: its names mean the same everywhere.
        files = [SHIPPED / f"{name}{SUFFIX}", folder() / f"{name}{SUFFIX}"]
    else:
        files = []
    return next((file for file in files if file.is_file()), None)


def known() -> tuple[str, ...]:
    """Return the names of all environments but the default one that are pinned here."""
    files = [file for place in (SHIPPED, folder()) for file in place.glob(f"*{SUFFIX}")]
    return tuple(sorted({file.stem for file in files if file_of(file.stem)} - {DEFAULT_ENVIRONMENT}))


def pins(name: str = DEFAULT_ENVIRONMENT) -> Mapping[str, str] | None:
    """Return the versions that an environment's file pins, by canonical name; None where there is no file."""
    file = file_of(name)
    return None if file is None else pins_of(file.read_text("utf-8"))


def pins_of(text: str) -> Mapping[str, str]:
    """Return the versions that a list pins, by canonical name."""
    return {canonical(name): version for name, version in _PIN.findall(text)}


def canonical(name: str) -> str:
    """Return the name of a package as pip compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def release(version: str) -> str:
    """Return a version without its local label: “+cpu” names a build of the same release."""
    return version.partition("+")[0]


def unfit_pins(pinned: Mapping[str, str]) -> tuple[str, ...]:
    """Return, in words, what a list has to pin otherwise, since what counts and runs entries needs it."""
    default = pins()
    wanted = _installed_here(OF_THE_CHILD) if default is None else default
    return tuple(
        f"it must pin {name}=={release(wanted[name])}, as env.txt does, not {pinned.get(name, 'leave it out')}"
        for name in OF_THE_CHILD
        if name in wanted and release(pinned.get(name, "")) != release(wanted[name])
    )


def lack_of(module: str, name: str, *, at: str = "") -> dict[str, str]:
    """Return the facts of an import that an environment cannot serve: what, where, and which environment could."""
    others = (other for other in (DEFAULT_ENVIRONMENT, *known()) if other != name)
    having = [
        f"{_tracks_with(other)} have {package} {version}"
        for other in others
        for package, version in (pins(other) or {}).items()
        if package == package_of(module)
    ]
    more = f" ({'; '.join(having)})" if having else ""
    return {"module": module, "at": at, "why": f"they can import what {_list_of(name)} lists{more}"}


def package_of(module: str) -> str:
    """Return the canonical name of the package that brings a module of that top-level name."""
    return canonical(NAMED_OTHERWISE.get(module, module))


def _list_of(name: str) -> str:
    return ENV_FILE.name if name == DEFAULT_ENVIRONMENT else f"{name}{SUFFIX}"


def _tracks_with(name: str) -> str:
    return (
        "tracks without an environment"
        if name == DEFAULT_ENVIRONMENT
        else f"tracks with the environment {name}"
    )


# --- what a benchmark version stands for ------------------------------------------------------------


def entry_environment() -> dict[str, str]:
    """Return what entries run with by env.txt, without it by what is installed, and all other environments."""
    pinned = pins()
    packages = _installed_here(DECISIVE) if pinned is None else _decisive(pinned)
    return packages | digest_by_key(*known())


def installed_environment() -> dict[str, str]:
    """Return the decisive packages that are installed here, and the environments that are installed as pinned."""
    ready = (name for name in known() if not why_not_here(name))
    return _installed_here(DECISIVE) | digest_by_key(*ready)


def digest_by_key(*names: str) -> dict[str, str]:
    """Return the digests of what environments pin, named as they stand among versions of packages.

    The default one has none: its decisive packages stand for it. Comments and the order of lines change nothing.
    """
    pinned = {name: pins(name) for name in names if name != DEFAULT_ENVIRONMENT}
    return {f"{name}{SUFFIX}": digest_of(dict(found or {})) for name, found in pinned.items()}


def used_in(name: str, versions: Mapping[str, str]) -> dict[str, str]:
    """Return of such versions those that a track with that environment depends on."""
    own = f"{name}{SUFFIX}"
    return {key: version for key, version in versions.items() if not _is_environment(key) or key == own}


def missing_among(names: Iterable[str]) -> dict[str, str]:
    """Return of such names those of environments that entries cannot run in here, and why."""
    reasons = {name: why_not_here(name.removesuffix(SUFFIX)) for name in names if _is_environment(name)}
    return {name: why for name, why in reasons.items() if why}


def _is_environment(key: str) -> bool:
    return key.endswith(SUFFIX)


def _decisive(versions: Mapping[str, str]) -> dict[str, str]:
    return {name: release(versions[name]) for name in DECISIVE if name in versions}


# --- as they are installed -------------------------------------------------------------------------


def installed(name: str) -> str | None:
    """Return the version of a package that is installed with Podium, None if there is none; nothing is imported."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def unpinned_packages() -> tuple[str, ...]:
    """Return, in words, the decisive packages that are not installed with Podium as env.txt pins them."""
    here = _installed_here(DECISIVE)
    return tuple(
        f"env.txt pins {name} {version}; {here.get(name, 'nothing')} is installed"
        for name, version in _decisive(pins() or here).items()
        if here.get(name) != version
    )


def home_of(name: str) -> Path:
    """Return the folder of an environment's own virtual environment, which may not be there."""
    return folder() / name


def interpreter_of(name: str) -> Path:
    """Return the Python that has an environment's packages on this machine: Podium's own for the default one."""
    return Path(sys.executable) if name == DEFAULT_ENVIRONMENT else home_of(name) / "bin" / "python"


def why_not_here(name: str) -> str:
    """Return why entries cannot run in an environment on this machine, and what to do; empty where they can."""
    if name == DEFAULT_ENVIRONMENT:
        return ""
    pinned = pins(name)
    if pinned is None:
        return (
            f"the environment “{name}” is not known on this machine: download its list from the track's page "
            f"and run `podium environment install {name} --from FILE`"
        )
    unfit = unfit_pins(pinned)
    if unfit:
        return f"the environment “{name}” does not fit this release of Podium: {'; '.join(unfit)}"
    if not home_of(name).is_dir():
        return f"the environment “{name}” is not installed on this machine: run `podium environment install {name}`"
    differing = differences_in(home_of(name), pinned)
    if differing:
        return (
            f"the environment “{name}” is not as pinned: {'; '.join(differing)}; "
            f"run `podium environment install {name}` again"
        )
    return ""


def differences_in(home: Path, pinned: Mapping[str, str]) -> tuple[str, ...]:
    """Return, in words, how a virtual environment differs from a list: both ways, since entries see all of it."""
    here = _installed_in(home)
    if here is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return (f"it was not made with Podium's Python {version}",)
    others = (
        f"{name} {version} is pinned, {here.get(name, 'no version')} is installed"
        for name, version in pinned.items()
        if release(here.get(name, "")) != release(version)
    )
    more = (f"{name} {version} is installed and not pinned" for name, version in unpinned_in(here, pinned))
    return (*others, *more)


def unpinned_in(here: Mapping[str, str], pinned: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the packages that are installed and not pinned, but for what torch brings for its hardware."""
    return sorted(
        (name, version)
        for name, version in here.items()
        if name not in pinned and not name.startswith(OF_TORCH_ITSELF)
    )


def packages_path(name: str) -> list[str] | None:
    """Return the folders that an environment's packages are imported from; None where they are Podium's own."""
    return None if name == DEFAULT_ENVIRONMENT else [str(place) for place in _places(home_of(name))]


def _places(home: Path) -> set[Path]:
    """Return the folders of packages in a virtual environment of this Python."""
    variables = {"base": str(home), "platbase": str(home)}
    return {Path(sysconfig.get_path(path, "venv", variables)) for path in ("purelib", "platlib")}


def _installed_here(names: tuple[str, ...]) -> dict[str, str]:
    return {name: release(found) for name in names if (found := installed(name))}


def _installed_in(home: Path) -> Mapping[str, str] | None:
    """Return the packages of a virtual environment by canonical name, None if it is not one of this Python.

    Read from the names of their folders: a worker asks at every claim.
    """
    places = _places(home)
    if not any(place.is_dir() for place in places):
        return None
    told = (
        folder.name.removesuffix(".dist-info").rpartition("-")
        for place in places
        for folder in place.glob("*.dist-info")
    )
    return {canonical(name): version for name, _, version in told}
