"""Which names the classes of a benchmark version have: today's, for names begin no version."""

from __future__ import annotations

from competition.tracks.models import BenchmarkVersion, Track


def class_names(version: BenchmarkVersion, track: Track) -> list[str]:
    """Return the track's names if they fit the version's classes, else those that the version remembers."""
    output = version.spec["output"]
    # One column, a confidence or a single logit, tells two classes apart.
    classes = output.get("classes") or max(output.get("width", 0), 2)
    names = track.body.get("output", {}).get("class_names", ())
    return list(names if len(names) in (0, classes) else output.get("class_names", ()))
