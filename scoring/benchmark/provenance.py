"""Where a group of samples comes from, according to its name, as in GASBench."""

from __future__ import annotations

from enum import StrEnum


class Provenance(StrEnum):
    """Public datasets, ones held out from participants, and fresh media of the subnet's own generators."""

    PUBLIC = "public"
    HOLDOUT = "holdout"
    GASSTATION = "gasstation"


def provenance(group: str) -> Provenance:
    """Return where a group comes from: “-holdout-” in its name comes before “gasstation”."""
    name = group.casefold()
    if "-holdout-" in name:
        return Provenance.HOLDOUT
    return Provenance.GASSTATION if "gasstation" in name else Provenance.PUBLIC
