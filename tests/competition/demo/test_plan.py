"""The preparation's parts: each once, none that was done before, and each upload after what it needs."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from competition.demo.plan import ACCOUNT, needed_by, preparation
from competition.demo.serve import DATABASE, STATIC_FILES
from competition.demo.uploads import BASELINES, FIRST_TRACKS, KIT_UPLOADS, MORE_TRACKS, REFUSED, UPLOADS

PASSWORD = "correct horse"
TRAINING = [f"training {upload.file}" for upload in BASELINES]


def planned(home, *, full=False, new_password=PASSWORD):
    parts = list(preparation(home, full=full, new_password=new_password))
    named = {part.name: part for part in parts}
    assert len(named) == len(parts)
    return named


def put(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()


@pytest.mark.parametrize("full", [False, True])
def test_the_parts_are_an_order(full, tmp_path):
    parts = planned(tmp_path, full=full)

    order = list(TopologicalSorter({name: part.after for name, part in parts.items()}).static_order())

    assert sorted(order) == sorted(parts)


def test_training_waits_for_nothing(tmp_path):
    parts = planned(tmp_path)

    assert [list(parts[name].after) for name in TRAINING] == [[], []]


def test_the_site_can_open_before_anything_is_trained_or_drawn(tmp_path):
    parts = planned(tmp_path)

    assert {*parts[ACCOUNT].after, *parts[STATIC_FILES].after, *parts[DATABASE].after} == {DATABASE}


@pytest.mark.parametrize("upload", [*UPLOADS, *KIT_UPLOADS], ids=lambda upload: upload.file)
def test_an_upload_waits_for_its_track_and_nothing_that_is_not_planned(upload, tmp_path):
    parts = planned(tmp_path, full=True)

    opening = [name for name in needed_by(upload) if upload.track in parts[name].command]

    assert len(opening) == 1
    assert set(needed_by(upload)) <= set(parts)


def test_a_baseline_waits_for_its_own_training_alone():
    for upload in BASELINES:
        assert set(needed_by(upload)) & set(TRAINING) == {f"training {upload.file}"}


def test_entries_that_are_refused_wait_for_no_training():
    assert {name for upload in REFUSED for name in needed_by(upload)}.isdisjoint(TRAINING)


def test_what_was_done_before_is_left_out(tmp_path):
    put(tmp_path / "entries" / BASELINES[0].file)
    for track in FIRST_TRACKS:
        put(tmp_path / "hidden" / track / "labels.csv")

    parts = planned(tmp_path, new_password=None)

    assert set(parts) == {DATABASE, STATIC_FILES, TRAINING[1], "opening 2 tracks"}


def test_data_of_which_a_track_is_missing_is_made(tmp_path):
    put(tmp_path / "hidden" / FIRST_TRACKS[0] / "labels.csv")

    assert "hidden data of 2 tracks" in planned(tmp_path)


def test_more_tracks_are_opened_after_the_first(tmp_path):
    """Two that make the same competition at the same time would make two."""
    opening = planned(tmp_path, full=True)[f"opening {len(MORE_TRACKS)} tracks"]

    assert "opening 2 tracks" in opening.after
