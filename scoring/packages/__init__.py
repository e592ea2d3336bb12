"""The trusted side of each package format: looks at files, never imports or runs them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final, cast

from scoring.contracts import FORMAT_FACTS, Format, PackageFormat

FORMATS: Final[Mapping[Format, PackageFormat]] = {
    name: cast(PackageFormat, import_module(facts.rules)) for name, facts in FORMAT_FACTS.items()
}
