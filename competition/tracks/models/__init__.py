"""Competitions, tracks, datasets and benchmark versions as rows."""

from competition.tracks.models.benchmark import BenchmarkVersion, benchmark_digest
from competition.tracks.models.competition import Competition
from competition.tracks.models.dataset import Dataset, image_readers
from competition.tracks.models.track import Track, TrackQuerySet, image_shape

# Migrations name the two functions here.
__all__ = [
    "BenchmarkVersion",
    "Competition",
    "Dataset",
    "Track",
    "TrackQuerySet",
    "benchmark_digest",
    "image_readers",
    "image_shape",
]
