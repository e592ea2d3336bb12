"""Walks all that Python keeps alive and finds what weights could be kept in, registered nowhere."""

from __future__ import annotations

import array
import gc
import mmap
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, repeat
from operator import is_, not_
from types import FrameType
from typing import Any, Final

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor

# Texts as long as this are no documentation: the longest of torch, timm, scipy and scikit-learn has 46,490 letters.
LONG_TEXT: Final = 2**16
_INTEGER_BITS: Final = 64
_ARRAY, _CONTAINER, _PLAIN, _OTHER = "array", "container", "plain", ""
_ARRAYS: Final = (torch.Tensor, torch.UntypedStorage, torch.ScriptObject, np.ndarray, array.array)
_BUFFERS: Final = (bytes, bytearray, mmap.mmap)
_NUMBERS: Final = (float, int, complex, np.generic)
# Bound before the entry runs.
_live_objects, _held_by, _is_tracked = gc.get_objects, gc.get_referents, gc.is_tracked
_thaw = gc.unfreeze
_frames, _ours = sys._current_frames, threading.get_ident


@dataclass(frozen=True)
class LeftAlive:
    """Tensors, storages, packed weights and arrays; and how many values numbers, bytes and texts can hold."""

    arrays: list[Any]
    plain_values: int


NOTHING: Final = LeftAlive([], 0)


def unregistered_arrays(ours: Iterable[Any]) -> LeftAlive:
    """Return what is alive after loading, but the arrays that this process made itself.

    The collector lists containers, but neither numpy arrays nor dicts and tuples of nothing else,
    nor what a running function holds, nor what an entry has frozen.
    """
    _thaw()
    gc.collect()
    made_here = {id(each) for each in ours}
    kinds = _Kinds()
    tracked = _live_objects()
    arrays = compress(tracked, map(is_, map(kinds.__getitem__, map(type, tracked)), repeat(_ARRAY)))
    found, plain = _leaves([*_held_by(*tracked), *_running()], kinds)
    kept = [each for each in (*arrays, *found) if id(each) not in made_here and not _is_empty(each)]
    return LeftAlive(kept, plain)


def _is_empty(each: Any) -> bool:
    """Say whether it is a storage that only stands for one, as torch.export leaves behind."""
    return type(each) is torch.UntypedStorage and each.device.type == "meta"


def _running() -> Iterator[Any]:
    """Yield what the functions hold that other threads are in."""
    for thread, innermost in _frames().items():
        frame: FrameType | None = None if thread == _ours() else innermost
        while frame is not None:
            yield from frame.f_locals.values()
            frame = frame.f_back


def _leaves(waiting: list[Any], kinds: _Kinds) -> tuple[list[Any], int]:
    """Follow what the collector does not track; return the arrays met and what plain values come to."""
    found: list[Any] = []
    plain = 0
    seen: dict[int, Any] = {}
    while waiting:
        met = {identity: each for identity, each in _untracked(waiting, kinds) if identity not in seen}
        seen |= met
        containers = []
        for each in met.values():
            kind = kinds[type(each)]
            if kind is _CONTAINER:
                containers.append(each)
            elif kind is _ARRAY:
                found.append(each)
            else:
                plain += _plain_values(each)
        waiting = _held_by(*containers)
    return found, plain


# A million objects pass through the next three. In Python, that were half of what measuring a small entry takes.


def _untracked(objects: list[Any], kinds: _Kinds) -> Iterator[tuple[int, Any]]:
    """Yield what may hold a weight and the collector does not track, once, each with its identity."""
    chosen = [*compress(objects, map(kinds.__getitem__, map(type, objects))), *_long_texts(objects)]
    once = dict(zip(map(id, chosen), chosen, strict=True))
    return compress(once.items(), map(not_, map(_is_tracked, once.values())))


def _long_texts(objects: list[Any]) -> Iterator[str]:
    texts = list(compress(objects, map(is_, map(type, objects), repeat(str))))
    return compress(texts, map(LONG_TEXT.__le__, map(len, texts)))


class _Kinds(dict[type, str]):
    """Sorts types once each, as there are millions of objects but few types."""

    def __init__(self) -> None:
        # What torch.export leaves behind has the shapes of tensors and no values. Long texts are looked for alone.
        super().__init__({FakeTensor: _OTHER, str: _OTHER})

    def __missing__(self, kind: type) -> str:
        self[kind] = next((name for name, bases in _BASES.items() if _is_one(kind, bases)), _OTHER)
        return self[kind]


_BASES: Final = {
    _ARRAY: _ARRAYS,
    _PLAIN: (*_NUMBERS, *_BUFFERS, str),
    _CONTAINER: (),
}


def _is_one(kind: type, bases: tuple[type, ...]) -> bool:
    if not bases:
        return kind in {dict, tuple}
    # `type.__subclasscheck__` and not `issubclass`, which a class of the entry's can answer itself.
    return any(type.__subclasscheck__(base, kind) for base in bases)


def _plain_values(each: Any) -> int:
    """Return how many weights of a byte could be read from it; a number of ordinary size is one.

    Six bits of each letter of a text can be used where it is written as base64.
    """
    if isinstance(each, str):
        length = str.__len__(each)
        return length * 3 // 4 if length >= LONG_TEXT else 0
    if isinstance(each, _BUFFERS):
        try:
            return memoryview(each).nbytes
        except (ValueError, BufferError):
            # A map of a file that was closed again.
            return 0
    if isinstance(each, int):
        bits = int.bit_length(each)
        return 1 if bits <= _INTEGER_BITS else bits // 8
    return 1
