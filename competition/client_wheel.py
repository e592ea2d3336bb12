"""The command line as a wheel that the site serves, of the code that the site itself runs.

Made here, for a wheel of pure Python is a zip with two more lists in it, and the site may run where nothing can be
built: on a read-only file system, without setuptools.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = "scoring"
LEFT_OUT: Final = ("__pycache__", "worker")
"""A worker also needs the site's code, which is not in the wheel."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Wheel:
    """A wheel and its name, which pip reads the version from."""

    filename: str
    content: bytes


@cache
def client_wheel() -> Wheel:
    """Return the wheel; equal code gives equal bytes, and other code another version."""
    files = dict(_sources())
    built = metadata.distribution("podium")
    digest = hashlib.sha256(b"".join(name.encode() + body for name, body in files.items())).hexdigest()[:8]
    version = f"{built.version}+{digest}"
    folder = f"podium-{version}.dist-info"
    # An installed package calls it METADATA; where a build has left podium.egg-info, that is found first.
    own = built.read_text("METADATA") or built.read_text("PKG-INFO") or ""
    described = re.sub(r"(?m)^Version: .*$", f"Version: {version}", own, count=1)
    files |= {
        f"{folder}/METADATA": described.encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: podium\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{folder}/entry_points.txt": (built.read_text("entry_points.txt") or "").encode(),
    }
    files[f"{folder}/RECORD"] = _record(files, f"{folder}/RECORD")
    return Wheel(f"podium-{version}-py3-none-any.whl", _zipped(files))


def _sources() -> Iterator[tuple[str, bytes]]:
    for file in sorted((ROOT / PACKAGE).rglob("*")):
        if file.is_file() and not set(LEFT_OUT) & set(file.relative_to(ROOT / PACKAGE).parts):
            yield file.relative_to(ROOT).as_posix(), file.read_bytes()


def _record(files: dict[str, bytes], own_name: str) -> bytes:
    """Return the list of files with their digests, as the wheel format (PEP 427) wants it."""
    lines = []
    for name, body in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(body)}\n")
    return "".join([*lines, f"{own_name},,\n"]).encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, body)
    return made.getvalue()
