"""One organiser and another: nothing is taken, given away or learned by naming it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from competition.admin.organisers import NAME, organisers
from competition.tracks.models import Competition, Dataset, Track
from tests.competition.admin.browsing import act, change_page, fields_of, zipped

pytestmark = pytest.mark.django_db

ADD = reverse("admin:tracks_competition_add")


@pytest.fixture
def theirs(db) -> Competition:
    """A competition of somebody else."""
    competition = Competition.objects.create(slug="theirs", name="Theirs", server_folder="theirs")
    competition.organisers.add(User.objects.create_user("boris", is_staff=True))
    return competition


@pytest.fixture
def their_dataset(theirs: Competition) -> Dataset:
    return Dataset.objects.create(competition=theirs, name="Their data", archive="x", digest="x", samples=1)


def grace() -> User:
    return User.objects.get(username="grace")


def edit(competition: Competition, client: Client, **changes: object):
    """Post a competition's form as it is shown, with changes."""
    page = reverse("admin:tracks_competition_change", args=[competition.pk])
    return client.post(page, {**fields_of(client, page), **changes})


def names_of(people) -> set[str]:
    return {user.username for user in people.all()}


# --- tracks and datasets ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["competition", "dataset"])
def test_a_track_takes_nothing_of_another_organisers_by_its_number(
    organiser: Client, track: Track, theirs: Competition, their_dataset: Dataset, field: str
) -> None:
    numbers = {"competition": theirs.pk, "dataset": their_dataset.pk}
    before = (track.competition_id, track.dataset_id)

    answer = organiser.post(
        change_page(track), {**fields_of(organiser, change_page(track)), field: numbers[field]}
    )

    kept = Track.objects.get()
    assert answer.context["adminform"].form.errors.keys() == {field}
    assert (kept.competition_id, kept.dataset_id) == before


def test_an_organiser_of_both_moves_a_track(organiser: Client, track: Track, theirs: Competition) -> None:
    theirs.organisers.add(grace())

    organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), "competition": theirs.pk})

    assert Track.objects.get().competition == theirs


def test_a_dataset_that_came_with_a_track_tells_no_name_of_its_competition(
    organiser: Client, track: Track, theirs: Competition
) -> None:
    Dataset.objects.update(competition=theirs)
    page = reverse("admin:tracks_dataset_change", args=[track.dataset_id])

    texts = [
        organiser.get(address).content.decode()
        for address in (reverse("admin:tracks_dataset_changelist"), page)
    ]

    assert ["another one" in text for text in texts] == [True, True]
    assert not any(theirs.name in text for text in texts)


def test_the_same_data_in_another_competition_is_a_dataset_of_its_own(
    organiser: Client, track: Track, folder: Path, theirs: Competition
) -> None:
    theirs_of_old = track.dataset
    Dataset.objects.update(competition=theirs, name="Their secret name")
    Track.objects.update(dataset=None)

    answer = organiser.post(act(track, "import"), {"name": "Mine", "archive": zipped(folder)}, follow=True)

    mine = Track.objects.get().dataset
    assert (mine.name, mine.competition, mine.digest) == ("Mine", track.competition, theirs_of_old.digest)
    assert "Their secret name" not in answer.content.decode()
    assert mine.archive.name == theirs_of_old.archive.name


def test_a_document_with_anothers_slug_is_told_no_more_than_that(
    organiser: Client, track: Track, theirs: Competition, competition: Competition
) -> None:
    Track.objects.update(competition=theirs)

    answer = organiser.post(
        reverse("admin:tracks_track_from_document"),
        {"competition": competition.pk, "preset": "cvpr2022-track1"},
    )

    assert "is taken" in str(answer.context["form"].errors)


@pytest.mark.parametrize(
    ("server_folder", "given", "is_taken"),
    [
        ("", "mine/data", False),
        ("mine", "mine/data", True),
        (".", "mine/data", True),
        ("mine", "theirs/data", False),
        ("mine", "mine/../theirs/data", False),
        ("mine", "mine/link", False),
    ],
)
def test_organisers_import_from_their_competitions_folder_alone(
    organiser: Client, track: Track, make_folder, settings, tmp_path: Path,
    server_folder: str, given: str, is_taken: bool,
) -> None:  # fmt: skip
    root = tmp_path / "root"
    for place in ("mine", "theirs"):
        (root / place).mkdir(parents=True)
        make_folder((3, "public"), (4, "public"), name=place).rename(root / place / "data")
    (root / "mine" / "link").symlink_to(root / "theirs" / "data")
    settings.IMPORT_ROOT = str(root)
    Competition.objects.update(server_folder=server_folder)

    organiser.post(act(track, "import"), {"name": "other", "folder": given})

    assert (Track.objects.get().dataset.name == "other") is is_taken


def test_superusers_import_from_every_folder(
    admin_client: Client, track: Track, make_folder, settings
) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")
    settings.IMPORT_ROOT = str(other.parent)

    admin_client.post(act(track, "import"), {"name": "other", "folder": "other"})

    assert Track.objects.get().dataset.name == "other"


# --- competitions and their organisers ----------------------------------------------------------------


def test_who_creates_a_competition_organises_it(organiser: Client) -> None:
    organiser.post(ADD, {**fields_of(organiser, ADD), "name": "New", "slug": "new"})

    assert names_of(Competition.objects.get(slug="new").organisers) == {"grace"}


def test_a_superuser_creates_a_competition_for_others(admin_client: Client, organiser: Client) -> None:
    admin_client.post(
        ADD, {**fields_of(admin_client, ADD), "name": "New", "slug": "new", "new_organisers": "grace"}
    )

    assert names_of(Competition.objects.get(slug="new").organisers) == {"grace"}


def test_the_list_names_who_organises_a_competition(
    admin_client: Client, organiser: Client, theirs: Competition
) -> None:
    theirs.organiser_groups.add(Group.objects.create(name="Winter team"))

    text = admin_client.get(reverse("admin:tracks_competition_changelist")).content.decode()

    assert "boris, Winter team" in text


def test_the_only_competition_is_chosen_for_a_new_track(
    organiser: Client, competition: Competition, theirs: Competition
) -> None:
    page = reverse("admin:tracks_track_add")
    chosen = organiser.get(page).context["adminform"].form["competition"].value()

    theirs.organisers.add(grace())

    assert (chosen, organiser.get(page).context["adminform"].form["competition"].value()) == (
        competition.pk,
        None,
    )


def test_organisers_are_added_by_their_names(organiser: Client, competition: Competition) -> None:
    for name in ("ada", "eve"):
        User.objects.create_user(name, is_staff=True)

    edit(competition, organiser, new_organisers="ada, eve")

    assert names_of(competition.organisers) == {"grace", "ada", "eve"}


@pytest.mark.parametrize("name", ["pia", "nobody"])
def test_a_participants_name_is_answered_like_one_that_nobody_has(
    organiser: Client, competition: Competition, name: str
) -> None:
    User.objects.create_user("pia")

    answer = edit(competition, organiser, new_organisers=name)

    errors = answer.context["adminform"].form.errors["new_organisers"]
    assert errors == [f"“{name}” is not the name of an organiser's account."]
    assert names_of(competition.organisers) == {"grace"}


def test_nobody_is_added_by_a_number(organiser: Client, competition: Competition) -> None:
    eve = User.objects.create_user("eve", is_staff=True)

    edit(competition, organiser, organisers=[grace().pk, eve.pk])

    assert names_of(competition.organisers) == {"grace"}


def test_nobody_is_added_by_a_number_to_a_new_competition(organiser: Client) -> None:
    eve = User.objects.create_user("eve", is_staff=True)

    answer = organiser.post(ADD, {"name": "New", "slug": "new", "organisers": [eve.pk]})

    assert answer.context["adminform"].form.errors.keys() == {"organisers"}
    assert not Competition.objects.filter(slug="new").exists()


def test_a_new_competition_is_offered_ones_own_groups_alone(
    organiser: Client, competition: Competition
) -> None:
    grace().groups.add(Group.objects.create(name="Winter team"))
    Group.objects.create(name="Summer team")

    offered = organiser.get(ADD).context["adminform"].form.fields["organiser_groups"].queryset

    assert [group.name for group in offered] == ["Winter team"]


def test_the_last_organiser_cannot_leave(organiser: Client, competition: Competition) -> None:
    answer = edit(competition, organiser, organisers=[])

    assert "at least one" in str(answer.context["adminform"].form.errors["organisers"])
    assert names_of(competition.organisers) == {"grace"}


def test_a_co_organiser_can_be_removed(organiser: Client, competition: Competition) -> None:
    competition.organisers.add(User.objects.create_user("eve", is_staff=True))

    edit(competition, organiser, organisers=[grace().pk])

    assert names_of(competition.organisers) == {"grace"}


def test_an_organiser_adds_groups_that_they_are_in_but_not_the_one_of_all_organisers(
    organiser: Client, competition: Competition
) -> None:
    team = Group.objects.create(name="Winter team")
    grace().groups.add(team)
    Group.objects.create(name="Summer team")
    page = organiser.get(reverse("admin:tracks_competition_change", args=[competition.pk]))

    edit(competition, organiser, organiser_groups=[team.pk])

    offered = page.context["adminform"].form.fields["organiser_groups"].queryset
    assert [group.name for group in offered] == ["Winter team"]
    assert list(competition.organiser_groups.all()) == [team]


def test_saving_keeps_a_group_that_a_superuser_gave_it_to(
    organiser: Client, competition: Competition
) -> None:
    competition.organiser_groups.add(organisers())

    edit(competition, organiser, name="Renamed")

    assert Competition.objects.get().name == "Renamed"
    assert [group.name for group in competition.organiser_groups.all()] == [NAME]


def test_only_superusers_say_where_data_may_be_imported_from(
    organiser: Client, admin_client: Client, competition: Competition
) -> None:
    edit(competition, organiser, server_folder=".")
    by_organiser = Competition.objects.get().server_folder

    edit(competition, admin_client, server_folder="winter")

    assert (by_organiser, Competition.objects.get().server_folder) == ("", "winter")


def test_who_was_given_no_competition_is_told_what_to_do(client: Client, competition: Competition) -> None:
    eve = User.objects.create_user("eve", is_staff=True)
    eve.groups.add(organisers())
    client.force_login(eve)

    text = client.get(reverse("admin:index")).content.decode()

    assert "You have not been given a competition yet" in text
    assert ADD in text


def test_an_organiser_is_not_told_to_wait(organiser: Client) -> None:
    assert "not been given" not in organiser.get(reverse("admin:index")).content.decode()
