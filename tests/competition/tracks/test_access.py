"""Who organises what: by name, through a group, or as a superuser; and what belongs to whom."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from competition.tracks.access import (
    PATHS,
    competitions_of,
    for_organiser,
    only_competition_of,
    organisers_named,
    organises,
)
from competition.tracks.models import Competition, Dataset, Track
from competition.tracks.selectors import competitions_for, may_change, tracks_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """Staff without a competition."""
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def other(db) -> Competition:
    return Competition.objects.create(slug="other", name="Other", is_public=False)


def test_a_competition_is_given_by_name(ada: User, competition: Competition, other: Competition) -> None:
    other.organisers.add(User.objects.create_user("boris", is_staff=True))

    competition.organisers.add(ada)

    assert list(competitions_of(ada)) == [competition]
    assert (organises(ada, competition.pk), organises(ada, other.pk)) == (True, False)


def test_a_competition_is_given_to_whoever_joins_a_group(
    ada: User, competition: Competition, other: Competition
) -> None:
    group = Group.objects.create(name="Winter team")
    competition.organiser_groups.add(group)
    before = list(competitions_of(ada))

    ada.groups.add(group)

    assert (before, list(competitions_of(ada))) == ([], [competition])


def test_a_competition_given_twice_is_listed_once(ada: User, competition: Competition) -> None:
    groups = [Group.objects.create(name=name) for name in ("one", "two")]
    ada.groups.set(groups)
    competition.organiser_groups.set(groups)
    competition.organisers.add(ada)

    assert list(competitions_of(ada)) == [competition]


def test_the_only_competition_of_an_organiser_is_known(
    ada: User, competition: Competition, other: Competition
) -> None:
    with_none = only_competition_of(ada)
    competition.organisers.add(ada)
    with_one = only_competition_of(ada)
    other.organisers.add(ada)

    assert (with_none, with_one, only_competition_of(ada)) == (None, competition, None)


def test_who_is_no_staff_any_more_organises_nothing(ada: User, competition: Competition) -> None:
    competition.organisers.add(ada)
    ada.is_staff = False

    assert not organises(ada, competition.pk)


def test_nobody_who_is_not_signed_in_organises_anything(competition: Competition) -> None:
    assert not competitions_of(AnonymousUser()).exists()


def test_a_participant_is_asked_about_without_a_query(
    alice: User, competition: Competition, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        assert not organises(alice, competition.pk)


def test_a_superuser_who_is_no_staff_organises_everything_too(track: Track) -> None:
    root = User.objects.create_user("root", is_superuser=True)

    assert organises(root, track.competition_id)
    assert (track.is_open, list(tracks_for(root))) == (False, [track])


def test_superusers_have_every_competition(competition: Competition, other: Competition) -> None:
    root = User.objects.create_superuser("root")

    assert set(competitions_of(root)) == {competition, other}


@pytest.mark.parametrize(("viewer", "slugs"), [("ada", {"own"}), ("root", {"own", "foreign"})])
def test_rows_are_kept_that_belong_to_ones_competitions(
    competition: Competition, other: Competition, viewer: str, slugs: set[str]
) -> None:
    people = {
        "ada": User.objects.create_user("ada", is_staff=True),
        "root": User.objects.create_superuser("root"),
    }
    competition.organisers.add(people["ada"])
    for slug, owner in (("own", competition), ("foreign", other)):
        Track.objects.create(competition=owner, slug=slug, name=slug)

    kept = for_organiser(Track.objects.all(), people[viewer])

    assert {track.slug for track in kept} == slugs


def test_only_accounts_of_staff_are_named_as_organisers(ada: User, alice: User) -> None:
    User.objects.create_user("gone", is_staff=True, is_active=False)
    User.objects.create_user("boris", is_staff=True)

    assert list(organisers_named(["ada", "alice", "gone", "nobody"])) == [ada]


def test_an_organiser_lists_public_competitions_and_hidden_ones_of_theirs(
    ada: User, make_track, other: Competition
) -> None:
    track = make_track("open")
    hidden = Competition.objects.create(slug="hidden", name="Hidden", is_public=False)
    hidden.organisers.add(ada)

    assert set(competitions_for(ada)) == {track.competition, hidden}


def test_an_organiser_sees_open_tracks_and_closed_ones_of_theirs(ada: User, make_track) -> None:
    track, closed = make_track("open"), make_track("closed")
    Track.objects.filter(pk=closed.pk).update(is_open=False)

    before = set(tracks_for(ada))
    track.competition.organisers.add(ada)

    assert (before, set(tracks_for(ada))) == ({track}, {track, closed})


def test_changing_a_track_takes_the_permission_and_the_competition(
    ada: User, track: Track, staff: User
) -> None:
    ada.user_permissions.add(Permission.objects.get(codename="change_track"))
    root = User.objects.create_superuser("root")

    assert [may_change(viewer, track) for viewer in (ada, staff, root)] == [False, False, True]


def test_a_dataset_belongs_to_its_competition_and_to_those_that_use_or_used_it(
    ada: User, track: Track, dataset: Dataset, other: Competition
) -> None:
    of_other = Dataset.objects.create(competition=other, name="o", archive="o", digest="o", samples=1)
    unowned = Dataset.objects.create(name="u", archive="u", digest="u", samples=1)
    track.competition.organisers.add(ada)
    Track.objects.update(dataset=None)  # its benchmark version still has it

    seen = set(for_organiser(Dataset.objects.all(), ada))

    assert seen == {dataset}
    assert not seen & {of_other, unowned}


def test_a_dataset_that_several_tracks_use_is_listed_once(ada: User, make_track, dataset: Dataset) -> None:
    track, _ = make_track("one"), make_track("two")
    track.competition.organisers.add(ada)

    assert list(for_organiser(Dataset.objects.all(), ada)) == [dataset]


KEPT_BY_THE_PROGRAM = {
    "leaderboard.boardrow",
    "leaderboard.charts",
    "leaderboard.ranking",
    "leaderboard.unranked",
    "submissions.evaluationfault",
    "submissions.lane",
    "submissions.line",
    "submissions.partialupload",
    "submissions.participation",
    "submissions.trackcounts",
    "submissions.worker",
}
"""Tables that no list shows to organisers: boards, queue and status page read them."""


def test_every_table_of_ours_says_to_which_competition_its_rows_belong() -> None:
    ours = {
        model._meta.label_lower
        for app in ("tracks", "audit", "submissions", "leaderboard")
        for model in apps.get_app_config(app).get_models()
    }

    assert ours - KEPT_BY_THE_PROGRAM == set(PATHS)
    assert {model._meta.label_lower for model in site._registry} & KEPT_BY_THE_PROGRAM == set()
