"""Make an entry from a folder: an archive of its contents, the same bytes for the same files."""

from __future__ import annotations

import gzip
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from scoring.errors import Rejected, reject

LEFT_OUT_FOLDERS = frozenset(
    {"__pycache__", ".git", ".venv", ".ipynb_checkpoints", ".mypy_cache", "__MACOSX"}
)
LEFT_OUT_SUFFIXES = frozenset({".pyc", ".pyo"})
LEFT_OUT_NAMES = frozenset({".DS_Store", "Thumbs.db"})
# What macOS writes beside a file on disks that cannot hold its attributes.
APPLE_DOUBLE = "._"
EPOCH = (1980, 1, 1, 0, 0, 0)
TAR_SUFFIXES = (".tar.gz", ".tgz")
READABLE = 0o644


def pack(folder: Path, destination: Path) -> Path:
    """Pack the folder's contents, not the folder, and return the destination: a zip, or what its name ends in.

    Caches and version control are left out; names are sorted and times fixed, so that equal
    folders give equal bytes. Raises Rejected (`missing_file`) when nothing is left to pack, and
    (`link_in_archive`) for a link that leads out of the folder.
    """
    files = _files(folder, but=destination)
    write = _write_tar_gz if destination.name.endswith(TAR_SUFFIXES) else _write_zip
    with destination.open("wb") as stream:
        write(folder, files, stream)
    return destination


def write_zip(folder: Path, stream: BinaryIO) -> None:
    """Do as `pack`, into a stream."""
    _write_zip(folder, _files(folder, but=None), stream)


def _files(folder: Path, *, but: Path | None) -> list[Path]:
    files = sorted(path for path in _walk(folder) if path.is_file())
    if but is not None:
        files = [path for path in files if path.resolve() != but.resolve()]
    if not files:
        raise reject("missing_file", expected="Any file")
    for path in files:
        _check_inside(folder, path)
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """Yield what belongs to the folder, folders inside that links lead to included."""
    for place, folders, names in os.walk(folder, followlinks=True):
        here = Path(place)
        # What does not belong is not entered: an environment may hold links to anywhere.
        folders[:] = [name for name in folders if _belongs((here / name).relative_to(folder))]
        for path in (here / name for name in folders):
            if here.resolve().is_relative_to(path.resolve()):
                raise _refused_link(folder, path, "link that leads in a circle")
            _check_inside(folder, path)
        yield from (here / name for name in names if _belongs((here / name).relative_to(folder)))


def _check_inside(folder: Path, path: Path) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise _refused_link(folder, path, "link that leads out of the folder")


def _refused_link(folder: Path, path: Path, what: str) -> Rejected:
    return reject("link_in_archive", path=path.relative_to(folder).as_posix(), what=what)


def _write_tar_gz(folder: Path, files: list[Path], stream: BinaryIO) -> None:
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in files:
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            member.size, member.mode = path.stat().st_size, READABLE
            with path.open("rb") as source:
                archive.addfile(member, source)


def _write_zip(folder: Path, files: list[Path], stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files:
            _add(archive, path, path.relative_to(folder).as_posix())


def _belongs(relative: Path) -> bool:
    return (
        not LEFT_OUT_FOLDERS.intersection(relative.parts)
        and relative.suffix not in LEFT_OUT_SUFFIXES
        and relative.name not in LEFT_OUT_NAMES
        and not relative.name.startswith(APPLE_DOUBLE)
    )


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    member = zipfile.ZipInfo(name, date_time=EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = READABLE << 16
    with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
        while chunk := source.read(2**20):
            target.write(chunk)
