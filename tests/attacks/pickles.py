"""Files that torch loads, each with a pickle in it that writes to the host and prints; nobody may run it."""

from __future__ import annotations

import io
import pickle  # noqa: TID251  # what is made here is for others not to read
import tarfile
import warnings
import zipfile
from pathlib import Path

import torch

from tests.attacks.surroundings import Surroundings
from tests.golden.build import build_entry
from tests.golden.byom import MODEL


class _Payload:
    def __init__(self, around: Surroundings) -> None:
        self.target = str(around.host / "pickled.txt")

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (f"print('unpickled: it ran'); open({self.target!r}, 'w').write('it ran')",)


def plain(around: Surroundings) -> bytes:
    """Return nothing but a pickle."""
    return pickle.dumps(_Payload(around))


def zipped(around: Surroundings) -> bytes:
    """Return a state dict as torch saves it today."""
    saved = io.BytesIO()
    torch.save({"weight": _Payload(around)}, saved)
    return saved.getvalue()


def legacy(around: Surroundings) -> bytes:
    """Return a state dict as torch saved it before 1.6."""
    saved = io.BytesIO()
    torch.save({"weight": _Payload(around)}, saved, _use_new_zipfile_serialization=False)
    return saved.getvalue()


def tarred(around: Surroundings) -> bytes:
    """Return what torch read before 0.4: a tar whose members are pickles."""
    saved = io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            member, content = tarfile.TarInfo(name), plain(around)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return saved.getvalue()


def whole(around: Surroundings) -> bytes:
    """Return a module that runs code when its state is set."""
    module = torch.nn.Linear(1, 1)
    module.payload = _Payload(around)
    saved = io.BytesIO()
    torch.save(module, saved)
    return saved.getvalue()


def scripted(around: Surroundings) -> bytes:
    """Return a TorchScript archive whose pickles are the payload."""
    made, changed = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), made)
    with zipfile.ZipFile(made) as archive, zipfile.ZipFile(changed, "w") as target:
        for name in archive.namelist():
            target.writestr(name, plain(around) if name.endswith(".pkl") else archive.read(name))
    return changed.getvalue()


def byom_entry(folder: Path, model: bytes) -> Path:
    """Write a sound BYOM package around such a file."""
    (folder / "model.pt").write_bytes(model)
    outline = {"leave_out": [MODEL]}
    entry = build_entry({"entry": {"name": "sound.tar.gz", "byom": outline}}, folder, folder)
    return with_member(entry, MODEL, model)


def with_member(entry: Path, name: str, content: bytes) -> Path:
    """Return the archive with one more member."""
    path = entry.with_name("entry.tar.gz")
    with tarfile.open(entry) as sound, tarfile.open(path, "w:gz") as target:
        for member in sound:
            target.addfile(member, sound.extractfile(member))
        added = tarfile.TarInfo(name)
        added.size = len(content)
        target.addfile(added, io.BytesIO(content))
    return path
