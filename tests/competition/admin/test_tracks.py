"""The admin as organisers use it: forms that explain, acts that need POST and permission."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import Field, replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from competition.admin.tracks.track_form import TrackForm
from competition.submissions import counts
from competition.submissions.models import Evaluation, Score
from competition.tracks import services
from competition.tracks.differences import differences
from competition.tracks.models import Competition, Dataset, Track
from scoring.contracts import Fit, Quantisation, Status, digest, fields
from scoring.contracts.fields import FieldFacts
from scoring.tracks import dump_track, parse_track
from tests.competition.admin.browsing import act, change_page, fields_of, zipped
from tests.competition.admin.conftest import evaluate
from tests.examples import rewrite

pytestmark = pytest.mark.django_db

SECOND = {"quantisation": "on"}


@pytest.mark.parametrize(
    "name",
    [
        "admin:index",
        "admin:tracks_competition_changelist",
        "admin:tracks_competition_add",
        "admin:tracks_track_changelist",
        "admin:tracks_track_add",
        "admin:tracks_track_from_document",
        "admin:tracks_dataset_changelist",
        "admin:tracks_dataset_import",
        "admin:tracks_benchmarkversion_changelist",
        "admin:submissions_submission_changelist",
        "admin:submissions_evaluation_changelist",
        "admin:leaderboard_standing_changelist",
    ],
)
def test_every_page_of_an_organiser_opens(organiser: Client, track: Track, name: str) -> None:
    services.open_track(track=track)
    evaluate(track)

    assert organiser.get(reverse(name)).status_code == 200


def test_the_list_names_metrics_as_the_boards_do(organiser: Client, track: Track) -> None:
    page = organiser.get(reverse("admin:tracks_track_changelist")).content.decode()
    assert '<td class="field-metric">Accuracy</td>' in page


def test_both_boxes_of_a_moment_have_a_name(organiser: Client, track: Track) -> None:
    page = organiser.get(change_page(track)).content.decode()
    for name in ("Opens at: date", "Opens at: time", "Closes at: date", "Closes at: time"):
        assert f'aria-label="{name}"' in page


def test_pages_of_single_rows_open(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track)
    rows = [track.competition, track, track.dataset, track.benchmark, evaluation.submission, evaluation]

    pages = [
        reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]) for row in rows
    ]

    assert [organiser.get(page).status_code for page in pages] == [200] * len(pages)


def test_an_unchanged_form_saves_an_unchanged_track(organiser: Client, track: Track) -> None:
    before = track.document()

    answer = organiser.post(change_page(track), fields_of(organiser, change_page(track)))

    assert answer.status_code == 302
    assert Track.objects.get().document() == before


def test_the_form_of_an_old_track_shows_what_was_so_before_a_default_changed(
    track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    def facts_of(field: Field[Any]) -> FieldFacts:
        facts = fields.facts_of(field)
        return replace(facts, left_out_at=16) if field.name == "batch_size" else facts

    monkeypatch.setattr(digest, "facts_of", facts_of)
    del track.body["run_limits"]["batch_size"]

    assert TrackForm(instance=track).initial["run_limits_batch_size"] == 16
    assert TrackForm(instance=Track()).initial["run_limits_batch_size"] == 32


def test_quantities_may_be_written_with_units(organiser: Client, track: Track) -> None:
    posted = {
        **fields_of(organiser, change_page(track)),
        "budgets_max_parameters": "12.5M",
        "budgets_max_package_bytes": "1 GiB",
    }

    organiser.post(change_page(track), posted)

    row = Track.objects.get()
    assert (row.spec().budgets.max_parameters, row.spec().budgets.max_package_bytes) == (12_500_000, 2**30)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"output_kind": "confidence"}, "output_width"),
        ({"output_width": "1"}, "output_width"),
        ({"input_shape_channels": "1"}, "input_shape"),
        ({"input_shape_height": "many"}, "input_shape"),
        ({"input_shape_width": "0"}, "input_shape"),
        ({"input_mean_channel_1": "0.5"}, "input_mean"),
        ({"input_std_channel_1": "1", "input_std_channel_2": "1", "input_std_channel_3": "1"}, "input_mean"),
        ({"input_low": "2"}, "input_low"),
        ({"input_dtype": "uint8"}, "input_dtype"),
        ({"input_reader": "audio"}, "input_dtype"),
        ({"budgets_max_macs": "0"}, "budgets_max_macs"),
        ({"budgets_max_macs": "many"}, "budgets_max_macs"),
        ({"run_limits_max_memory_bytes": ""}, "run_limits_max_memory_bytes"),
        ({"run_limits_batch_size": "2000"}, "run_limits_batch_size"),
        ({"slug": "Not_A_Slug"}, "slug"),
        ({"formats": []}, "formats"),
        ({"metric": "best_f1"}, "metric"),
        ({"extra_metrics": ["accuracy"]}, "extra_metrics"),
        ({"quota_submissions": "0"}, "quota_submissions"),
        ({"output_class_names": "cat\r\ndog"}, "output_class_names"),
        ({"output_class_names": "cat\r\n" * 100}, "output_class_names"),
        ({"output_class_names": "\r\n".join("c" * length for length in range(1, 101))}, "output_class_names"),
        ({"quantisation": "on", "quantisation_precision": "w4a4"}, "quantisation_precision"),
        ({**SECOND, "quantisation_calibration_samples": "0"}, "quantisation_calibration_samples"),
        ({**SECOND, "quantisation_calibration_samples": "10001"}, "quantisation_calibration_samples"),
        ({**SECOND, "quantisation_max_drop_points": "-1"}, "quantisation_max_drop_points"),
        ({**SECOND, "quantisation_max_drop_points": "101"}, "quantisation_max_drop_points"),
        ({"metric": "brier", "quantisation": "on"}, "quantisation"),
    ],
)
def test_what_is_wrong_is_shown_at_its_field(
    organiser: Client, track: Track, changes: dict[str, object], field: str
) -> None:
    answer = organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), **changes})

    assert set(answer.context["adminform"].form.errors) == {field}


def test_class_names_are_typed_one_on_a_line(organiser: Client, track: Track) -> None:
    names = [f"class {number}" for number in range(100)]
    typed = "\r\n".join(("", *(f"  {name} " for name in names), ""))

    organiser.post(
        change_page(track), {**fields_of(organiser, change_page(track)), "output_class_names": typed}
    )

    assert list(Track.objects.get().spec().output.class_names) == names
    assert fields_of(organiser, change_page(track))["output_class_names"] == "\r\n".join(names)


def test_class_names_can_be_taken_away(organiser: Client, track: Track) -> None:
    rewrite(Track.objects.get(), output__class_names=[f"class {number}" for number in range(100)])

    organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), "output_class_names": ""})

    assert Track.objects.get().spec().output.class_names == ()


def test_what_was_typed_stays_when_it_is_refused(organiser: Client, track: Track) -> None:
    answer = organiser.post(
        change_page(track),
        {
            **fields_of(organiser, change_page(track)),
            "output_class_names": "cat\r\ndog",
        },
    )

    assert answer.context["adminform"].form["output_class_names"].value() == "cat\r\ndog"


def test_a_form_asks_for_a_second_precision(organiser: Client, track: Track) -> None:
    asked = {
        "quantisation": "on",
        "quantisation_calibration_samples": "50",
        "quantisation_max_drop_points": "2.5",
    }

    organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), **asked})

    assert Track.objects.get().spec().quantisation == Quantisation(
        calibration_samples=50, max_drop_points=2.5
    )


def test_a_form_asks_for_a_chain_of_torchvision(organiser: Client, track: Track) -> None:
    chain = {"input_fit": "torchvision", "input_resize": "256", "input_crop": "224, 224"}
    posted = fields_of(organiser, change_page(track)) | chain
    del posted["input_antialias"]  # as a browser posts a box that is not ticked

    organiser.post(change_page(track), posted)

    found = Track.objects.get().spec().input
    assert (found.fit, found.resize, found.crop, found.antialias) == (
        Fit.TORCHVISION,
        (256,),
        (224, 224),
        False,
    )


def test_a_box_that_does_not_apply_says_nothing_without_its_tick(organiser: Client, track: Track) -> None:
    before, posted = track.document(), fields_of(organiser, change_page(track))
    del posted["input_antialias"]

    answer = organiser.post(change_page(track), posted)

    assert answer.status_code == 302
    assert Track.objects.get().document() == before


def test_a_window_that_ends_before_it_begins_is_shown_at_its_end(organiser: Client, track: Track) -> None:
    window = {
        "opens_at_0": "2030-01-02",
        "opens_at_1": "00:00",
        "closes_at_0": "2030-01-01",
        "closes_at_1": "00:00",
    }

    answer = organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), **window})

    assert set(answer.context["adminform"].form.errors) == {"closes_at"}


def test_an_open_track_cannot_lose_its_rules(organiser: Client, track: Track) -> None:
    services.open_track(track=track)

    answer = organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), "rules": ""})

    assert "must stay ready" in str(answer.context["adminform"].form.errors)


def test_saving_a_track_without_evaluations_renews_its_benchmark(organiser: Client, track: Track) -> None:
    services.open_track(track=track)

    organiser.post(
        change_page(track), {**fields_of(organiser, change_page(track)), "run_limits_batch_size": "7"}
    )

    assert not differences(Track.objects.get())


def test_saving_a_track_with_evaluations_keeps_its_benchmark_and_says_so(
    organiser: Client, track: Track
) -> None:
    services.open_track(track=track)
    evaluate(track)
    posted = fields_of(organiser, change_page(track))

    answer = organiser.post(change_page(track), {**posted, "run_limits_batch_size": "7"}, follow=True)
    page = organiser.get(change_page(track))

    assert answer.status_code == 200
    assert Track.objects.get().benchmark.number == 1
    assert b"not what submissions are scored with" in page.content


def test_the_slug_of_a_track_with_submissions_is_fixed(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluate(track)

    organiser.post(change_page(track), {**fields_of(organiser, change_page(track)), "slug": "other"})

    assert Track.objects.get().slug == track.slug


def test_open_and_close(organiser: Client, track: Track) -> None:
    organiser.post(act(track, "open"))
    opened = Track.objects.get().is_open
    organiser.post(act(track, "close"))

    assert (opened, Track.objects.get().is_open) == (True, False)


def test_a_track_that_is_not_ready_does_not_open(organiser: Client, track: Track) -> None:
    rewrite(Track.objects.get(), rules="")

    answer = organiser.post(act(track, "open"), follow=True)

    assert not Track.objects.get().is_open
    assert b"The rules are empty" in answer.content


@pytest.mark.parametrize("name", ["open", "close", "clone", "import", "publish", "upload"])
def test_looking_at_an_act_changes_nothing(organiser: Client, track: Track, name: str) -> None:
    before = Track.objects.values().get()

    assert organiser.get(act(track, name)).status_code == 200
    assert Track.objects.values().get() == before


@pytest.mark.parametrize("name", ["open", "close", "clone", "import", "publish", "upload"])
def test_acts_need_the_permission_to_change(onlooker: Client, track: Track, name: str) -> None:
    assert onlooker.post(act(track, name)).status_code == 403


@pytest.mark.parametrize("name", ["open", "csv", "document"])
def test_acts_are_for_staff(client: Client, track: Track, name: str) -> None:
    answer = client.get(act(track, name))

    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_a_password_alone_does_not_lead_past_the_second_factor(client: Client, db) -> None:
    User.objects.create_user("grace", password="a-long-password", is_staff=True)

    answer = client.post(reverse("admin:login"), {"username": "grace", "password": "a-long-password"})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


def test_acts_need_a_csrf_token(organiser: Client, track: Track) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="grace"))

    assert strict.post(act(track, "open")).status_code == 403


def test_the_csv_needs_the_permission_to_see_submissions(onlooker: Client, track: Track) -> None:
    assert onlooker.get(act(track, "csv")).status_code == 403


def test_clone_leads_to_the_copy(organiser: Client, track: Track) -> None:
    organiser.post(act(track, "clone"), {"slug": "copy"})

    assert Track.objects.get(slug="copy").dataset == track.dataset


@pytest.mark.parametrize("slug", ["cvpr2022-track1", "Big", "under_score", "a--b", ""])
def test_clone_refuses_a_slug_that_is_taken_or_wrong(organiser: Client, track: Track, slug: str) -> None:
    organiser.post(act(track, "clone"), {"slug": slug})

    assert Track.objects.count() == 1


def test_a_zip_is_imported_and_given_to_the_track(organiser: Client, track: Track, make_folder) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")

    organiser.post(act(track, "import"), {"name": "other", "archive": zipped(other)})

    assert Track.objects.get().dataset.name == "other"


def test_findings_of_an_import_are_shown(organiser: Client, track: Track, make_folder) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")
    (other / "images/001.png").unlink()

    answer = organiser.post(act(track, "import"), {"name": "other", "archive": zipped(other)})

    assert "“images/001.png” is missing" in answer.content.decode()
    assert Dataset.objects.count() == 1


def test_a_server_folder_below_the_import_root_is_imported(
    organiser: Client, track: Track, make_folder, settings
) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")
    settings.IMPORT_ROOT = str(other.parent)
    Competition.objects.update(server_folder=".")

    organiser.post(act(track, "import"), {"name": "other", "folder": "other"})

    assert Track.objects.get().dataset.name == "other"


@pytest.mark.parametrize("given", ["../other", "/etc", "link", "nowhere", "."])
def test_other_server_folders_are_refused(
    organiser: Client, track: Track, make_folder, settings, tmp_path: Path, given: str
) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(other)
    settings.IMPORT_ROOT = str(root)
    Competition.objects.update(server_folder=".")

    answer = organiser.post(act(track, "import"), {"name": "other", "folder": given})

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert Dataset.objects.count() == 1


def test_without_an_import_root_no_folder_is_taken(
    organiser: Client, track: Track, make_folder, settings
) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")
    settings.IMPORT_ROOT = ""

    answer = organiser.post(act(track, "import"), {"name": "other", "folder": str(other)})

    assert "folder" not in answer.context["form"].fields
    assert Dataset.objects.count() == 1


def test_publishing_shows_the_change_and_the_count_and_rescores(
    organiser: Client, track: Track, django_capture_on_commit_callbacks
) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track, status=Status.SCORED)
    evaluate(track, status=Status.CANCELLED, name="bob")
    counts.rebuild(track)
    rewrite(Track.objects.get(), run_limits__batch_size=7)

    page = organiser.get(act(track, "publish"))
    organiser.post(act(track, "publish"))

    changes = [(change.place, change.before, change.after) for change in page.context["changes"]]
    assert changes == [("run_limits.batch_size", "32", "7")]
    assert page.context["button"] == "Publish and rescore (2)"
    again = Evaluation.objects.get(benchmark__number=2)
    assert (again.submission, again.status, again.priority) == (evaluation.submission, Status.QUEUED, 10)


def test_without_a_change_what_the_version_left_out_can_be_queued(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluate(track, status=Status.SCORED)
    rewrite(Track.objects.get(), run_limits__batch_size=7)
    services.renew_benchmark(track=Track.objects.get())
    evaluate(Track.objects.get(), status=Status.SCORED, name="bob")

    page = organiser.get(act(track, "publish"))

    assert page.context["button"] == "Queue what was left out"


def test_publishing_an_unready_track_changes_nothing(organiser: Client, track: Track) -> None:
    Track.objects.update(dataset=None)

    answer = organiser.post(act(track, "publish"), follow=True)

    assert b"Nothing was published" in answer.content
    assert Track.objects.get().benchmark is None


def test_the_csv_holds_scores_of_both_splits_and_no_formulas(organiser: Client, track: Track) -> None:
    services.open_track(track=track)
    evaluation = evaluate(track, status=Status.SCORED)
    for split, value in (("public", 0.5), ("private", 0.25)):
        Score.objects.create(
            evaluation=evaluation, metric="accuracy", split=split, value=value, ci_low=0, ci_high=1,
            higher_is_better=True, version="1",
        )  # fmt: skip

    answer = organiser.get(act(track, "csv"))

    content = b"".join(answer.streaming_content)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert content.startswith(codecs.BOM_UTF8)
    assert [(row["participant"], row["accuracy_public"], row["accuracy_private"]) for row in rows] == [
        ("ada", "0.5", "0.25")
    ]
    assert rows[0]["entry_name"] == "'=1+1.zip"


def test_the_downloaded_document_is_the_track(organiser: Client, track: Track) -> None:
    answer = organiser.get(act(track, "document"))

    assert parse_track(answer.content.decode()) == track.document()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="cvpr2022-track1.yaml"'


def test_an_uploaded_document_changes_the_track(organiser: Client, track: Track) -> None:
    text = dump_track(track.document()).replace("quota_submissions: 5", "quota_submissions: 9")

    organiser.post(act(track, "upload"), {"file": SimpleUploadedFile("track.yaml", text.encode())})

    assert Track.objects.get().quota_submissions == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "slug: other\nname: O\nformats: [onnx]\noutput: {kind: logits, width: 2}\nmetric: accuracy\n",
            "not “cvpr2022-track1”",
        ),
        ("slug: cvpr2022-track1\nname: ''\n", "formats: Field required"),
        ("- a list", "must be a mapping"),
        ("\udcff", "not UTF-8"),
    ],
)
def test_a_wrong_document_is_refused_with_reasons(
    organiser: Client, track: Track, text: str, message: str
) -> None:
    file = SimpleUploadedFile("track.yaml", text.encode(errors="surrogateescape"))

    answer = organiser.post(act(track, "upload"), {"file": file})

    assert message in str(answer.context["form"].errors)


def test_a_preset_becomes_a_closed_track(organiser: Client, competition: Competition) -> None:
    organiser.post(
        reverse("admin:tracks_track_from_document"),
        {"competition": competition.pk, "preset": "cvpr2022-track2"},
    )

    assert (Track.objects.get().spec().metric, Track.objects.get().is_open) == ("best_f1", False)


def test_a_dataset_shows_how_many_samples_each_class_has(organiser: Client, track: Track) -> None:
    page = organiser.get(reverse("admin:tracks_dataset_change", args=[track.dataset.pk])).content.decode()

    for row in (
        "<td>0</td><td>1</td><td>0</td>",
        "<td>1</td><td>1</td><td>1</td>",
        "<td>99</td><td>0</td><td>1</td>",
    ):
        assert row in page


def test_a_dataset_shows_its_size_with_a_unit_and_no_table_of_masks(organiser: Client, track: Track) -> None:
    Dataset.objects.update(archive_bytes=1_234_567, label_counts={})

    page = organiser.get(reverse("admin:tracks_dataset_change", args=[track.dataset.pk])).content.decode()

    assert "1.177 MiB" in page
    assert "not counted in masks" in page
    assert "podium-table" not in page


def test_a_dataset_cannot_be_changed_or_deleted(organiser: Client, track: Track) -> None:
    page = reverse("admin:tracks_dataset_change", args=[track.dataset.pk])

    assert organiser.post(page, {"name": "other"}).status_code == 403
    assert organiser.post(reverse("admin:tracks_dataset_delete", args=[track.dataset.pk])).status_code == 403
