"""Parts of the library that a model's file imports and its model never uses: data sets, evaluation, devices.

They can be imported, named and derived from. Whoever makes one is told that it is not here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from scoring.contracts.ai_hub import is_named_only


class NotHere(NotImplementedError):
    """A part of AI Hub Models is used that Podium has by name alone."""


class _NamedOnly(type):
    """Lets members be named as well: `DatasetSplit.VAL`."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return named_only(f"{cls.__name__}.{name}")


class _Base(metaclass=_NamedOnly):
    """What names stand for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._refuse()

    def __class_getitem__(cls, item: object) -> type:
        """Let annotations and bases be generic."""
        return cls

    @classmethod
    def _refuse(cls) -> NoReturn:
        known = next((each for each in cls.__mro__ if "_of_library" in vars(each)), cls)
        raise NotHere(
            f"{known.__name__} of AI Hub Models has no part in running a model, and is not provided"
        )


def named_only(name: str) -> Any:
    """Return a class of that name that cannot be used."""
    return _NamedOnly(name, (_Base,), {"_of_library": True})


class Finder(MetaPathFinder, Loader):
    """Finds what `is_named_only` says: empty modules in which every name is there."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for such a module."""
        if not is_named_only(fullname):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module, whose names are made as they are asked for."""
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        known = named_only(name)
        setattr(self, name, known)
        return known


def let_be_named() -> None:
    """Let all that is found nowhere else be found here."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
