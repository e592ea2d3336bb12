"""How many values the tensors of a TorchScript file hold, read from its pickles without making any of them.

A list of 8-bit tensors takes a byte for each value, so bytes alone would count a quarter of them.
"""

from __future__ import annotations

import io
import pickle  # noqa: TID251  inside the sandbox, and everything it names is a stand-in
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, Final

# In a file of torch.jit.save: which pickle tells of the tensors in which folder.
FOLDERS: Final = {"data.pkl": "data", "constants.pkl": "constants"}
ITEM_BYTES: Final = {
    **dict.fromkeys(("Bool", "Byte", "Char", "QInt8", "QUInt8", "QUInt4x2"), 1),
    **dict.fromkeys(("Half", "BFloat16", "Short"), 2),
}


class _Anything:
    """Stands for whatever a pickle names; nothing of it is looked up or run."""

    def __init__(self, *args: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        pass


class _Storages(pickle.Unpickler):
    """Notes the element type of each storage that a pickle points to."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.item_bytes: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """Return a stand-in of that name."""
        return type(name, (_Anything,), {})

    def persistent_load(self, pid: Any) -> object:
        """Take ("storage", type, name, device, elements); of two types for one storage, the smaller."""
        _, kind, name, *_ = pid
        size = ITEM_BYTES.get(kind.__name__.removesuffix("Storage"), 4)
        self.item_bytes[str(name)] = min(size, self.item_bytes.get(str(name), size))
        return None


def extra_values(archive: zipfile.ZipFile) -> int:
    """Return how many more values the file's tensors hold than one for each four bytes."""
    sizes: dict[PurePosixPath, int] = {}
    for item in archive.infolist():
        path = PurePosixPath(item.filename)
        sizes[path] = max(item.file_size, sizes.get(path, 0))
    extra = 0
    for path in sizes:
        folder = FOLDERS.get(path.name)
        if folder is None:
            continue
        storages = _Storages(archive.read(str(path)))
        storages.load()
        for name, item_bytes in storages.item_bytes.items():
            stored = sizes.get(path.parent / folder / name, 0)
            extra += stored // item_bytes - stored // 4
    return extra
