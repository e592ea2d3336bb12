"""Competitions, tracks, datasets and benchmark versions as rows."""

from competition.tracks.models.benchmark import BenchmarkVersion
from competition.tracks.models.competition import Competition
from competition.tracks.models.dataset import Dataset, image_readers
from competition.tracks.models.texts import Milestone, News, Picture
from competition.tracks.models.track import COLUMNS, Track, TrackQuerySet

# A migration names image_readers here.
__all__ = [
    "COLUMNS",
    "BenchmarkVersion",
    "Competition",
    "Dataset",
    "Milestone",
    "News",
    "Picture",
    "Track",
    "TrackQuerySet",
    "image_readers",
]
