"""Where an entry's package is: in the root, or in the one folder that wraps everything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scoring.contracts import Finding, Format, Mismatch, Package, Unpacked


@dataclass(frozen=True, kw_only=True)
class Location:
    """A folder of an entry that may hold its package; `folder` is empty for the root.

    `paths` are relative to the folder and leave out litter. `package_bytes` counts litter too:
    an entry must not hide weights in it.
    """

    folder: str
    root: Path
    paths: tuple[PurePosixPath, ...]
    package_bytes: int

    def package(self, package_format: Format, *, main: str) -> Package:
        """Return the package that lies here, with a warning if a folder wraps it."""
        return Package(
            format=package_format,
            root=self.root,
            main=main,
            package_bytes=self.package_bytes,
            warnings=(Finding(code="wrapping_folder", path=self.folder),) if self.folder else (),
        )


def locate(unpacked: Unpacked, is_package: Callable[[Collection[PurePosixPath]], bool]) -> Location | None:
    """Return the first place whose files are a package: the root, else the wrapping folder."""
    return next((place for place in _places(unpacked) if is_package(place.paths)), None)


def match_by_file(unpacked: Unpacked, package_format: Format, *, name: str, main: str) -> Package | Mismatch:
    """Match an entry with a file of that name at its root, or inside the one folder that wraps everything.

    A mismatch tells where else such a file lies.
    """
    location = locate(unpacked, lambda paths: PurePosixPath(name) in paths)
    if location is not None:
        return location.package(package_format, main=main)
    elsewhere = sorted(str(path) for path in own_paths(unpacked) if path.name.casefold() == name)
    if not elsewhere:
        return Mismatch(why=f"it has no {name}")
    expected = f"{name} in the archive's root (it is at “{elsewhere[0]}”)"
    return Mismatch(
        why=f"{name} is at “{elsewhere[0]}”, not in the root",
        findings=(Finding(code="missing_file", path=elsewhere[0], facts={"expected": expected}),),
    )


def folder_of(package: Package) -> str:
    """Return the name of the folder that wraps the package; empty where none does."""
    return next((warning.path for warning in package.warnings if warning.code == "wrapping_folder"), "")


def own_paths(unpacked: Unpacked) -> tuple[PurePosixPath, ...]:
    """Return the paths of all files that somebody packed on purpose."""
    return tuple(PurePosixPath(file.path) for file in unpacked.files if not is_litter(file.path))


def is_litter(path: str) -> bool:
    """Say whether macOS added the file by itself; its tar writes a "._model.py" beside each model.py."""
    name = PurePosixPath(path).name
    return path.startswith("__MACOSX/") or name == ".DS_Store" or name.startswith("._")


def _places(unpacked: Unpacked) -> Iterator[Location]:
    paths = own_paths(unpacked)
    yield Location(folder="", root=unpacked.root, paths=paths, package_bytes=unpacked.package_bytes)
    folder = _wrapping_folder(paths)
    if folder is not None:
        yield Location(
            folder=folder,
            root=unpacked.root / folder,
            paths=tuple(path.relative_to(folder) for path in paths),
            package_bytes=sum(file.size for file in unpacked.files if file.path.startswith(f"{folder}/")),
        )


def _wrapping_folder(paths: Iterable[PurePosixPath]) -> str | None:
    """Return the one folder that holds every path, if there is one."""
    tops = {path.parts[0] if len(path.parts) > 1 else "" for path in paths}
    return tops.pop() if len(tops) == 1 and "" not in tops else None
