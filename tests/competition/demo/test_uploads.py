"""The tables of the demonstration fit the presets and the kits."""

from competition.demo.datasets import DATASETS
from competition.demo.uploads import FIRST_TRACKS, KIT_UPLOADS, MORE_TRACKS, UPLOADS, kit_of
from scoring.tracks import presets

FULL = (*UPLOADS, *KIT_UPLOADS)


def test_the_full_demonstration_has_a_track_of_every_preset():
    assert {upload.track for upload in FULL} == set(presets()) == set(DATASETS)


def test_each_track_is_opened_once():
    assert len({*FIRST_TRACKS, *MORE_TRACKS}) == len(FIRST_TRACKS) + len(MORE_TRACKS) == len(presets())


def test_every_track_of_the_demonstration_has_a_scored_entry():
    assert {upload.track for upload in FULL if upload.status == "scored"} == set(presets())


def test_what_is_uploaded_of_the_kits_is_there():
    assert [upload.file for upload in KIT_UPLOADS if not kit_of(upload).is_dir()] == []


def test_no_entry_is_uploaded_under_a_name_of_another():
    assert len({upload.file for upload in FULL}) == len(FULL)
