"""The admin's tests start from the tracks that are ready, with data on disk."""

from tests.competition.tracks.conftest import competition, dataset, files, folder, make_folder, track

__all__ = ["competition", "dataset", "files", "folder", "make_folder", "track"]
