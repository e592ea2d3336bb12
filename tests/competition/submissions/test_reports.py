"""The report that pages, the API and exports share."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from competition.api.report_shapes import ReportOutput
from competition.leaderboard import standings
from competition.submissions import lifecycle, reports
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import Finding, Metric, PrivateScores, Stage
from scoring.errors import Rejected
from scoring.reports import report as command_line
from tests.examples import quantised_scores, rewrite, score_value, scored_report, tried_before

BROKEN = (
    Finding(
        code="macs_over_budget", facts={"found": 6_000_000_000, "allowed": 5_000_000_000, "counter": "fvcore"}
    ),
    Finding(code="wrapping_folder", path="entry"),
)


@pytest.fixture
def lease(evaluation: Evaluation, now: datetime) -> lifecycle.Lease:
    return lifecycle.claim(evaluation.pk, owner="w", now=now)


def report(evaluation: Evaluation, now: datetime, **options: bool) -> dict[str, object]:
    evaluation.refresh_from_db()
    return reports.report(evaluation, now=now, **options)


def test_a_scored_report_has_what_the_command_line_reports(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    scored = replace(scored_report(0.9, private=0.8), applied={"size": "32 x 32"})
    lifecycle.record_scored(lease, scored, now=now, place=standings.place)

    shown = report(evaluation, now, for_organisers=True)

    expected = command_line.accepted_or_scored(scored) | {"benchmark": evaluation.benchmark.digest}
    expected["usage"] |= {"uncounted_ops": []}
    expected["breakdown"] |= {"confusion": [[2, 1], [0, 0]]}
    assert {key: shown[key] for key in expected} == expected


def test_a_report_of_before_there_was_capture_says_that_nothing_is_known_of_it(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    lifecycle.record_scored(lease, scored_report(0.9), now=now, place=standings.place)
    evaluation.refresh_from_db()
    younger = ("captured", "not_captured", "binding_counter")
    evaluation.usage = {name: value for name, value in evaluation.usage.items() if name not in younger}
    evaluation.save()

    usage = report(evaluation, now)["usage"]

    assert [usage[name] for name in younger] == [None, "", ""]


def test_a_second_score_is_reported_as_the_command_line_does(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    scored = scored_report(0.9, private=0.8)
    second = quantised_scores(0.85, of=0.9, private=0.7)
    lifecycle.record_scored(lease, replace(scored, quantised=second), now=now, place=standings.place)

    shown = report(evaluation, now, for_organisers=True)

    assert (
        shown["quantised"] == command_line.accepted_or_scored(replace(scored, quantised=second))["quantised"]
    )
    assert list(shown["scores"]) == ["accuracy"]


def test_the_metric_that_ranks_comes_first_in_both_precisions(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    both = {Metric.ACCURACY: score_value(0.5), "a_metric": score_value(0.25)}
    second = replace(quantised_scores(0.5, of=0.5), scores=both)
    lifecycle.record_scored(
        lease, replace(scored_report(), scores=both, quantised=second), now=now, place=standings.place
    )

    shown = report(evaluation, now)

    assert list(shown["scores"]) == list(shown["quantised"]["scores"]) == ["accuracy", "a_metric"]


def test_private_second_scores_are_hidden_with_the_others(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    second = quantised_scores(0.85, of=0.9, private=0.7)
    lifecycle.record_scored(
        lease, replace(scored_report(0.9, private=0.8), quantised=second), now=now, place=standings.place
    )

    assert report(evaluation, now)["quantised"]["private_scores"] == {}


def test_a_second_score_that_is_not_finite_is_not_recorded(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    second = replace(quantised_scores(0.5, of=0.5), scores={Metric.ACCURACY: score_value(float("nan"))})

    with pytest.raises(ValueError, match="not finite"):
        lifecycle.record_scored(
            lease, replace(scored_report(), quantised=second), now=now, place=standings.place
        )


@pytest.mark.parametrize(
    ("remembered", "today", "shown"),
    [
        (["a", "b"], ["cat", "dog"], ["cat", "dog"]),
        ([], ["cat", "dog"], ["cat", "dog"]),
        (["a", "b"], [], []),
        (["a", "b"], ["cat", "dog", "eel"], ["a", "b"]),
    ],
)
def test_classes_have_the_names_of_today_if_these_fit_the_version(
    evaluation: Evaluation, now: datetime, remembered: list[str], today: list[str], shown: list[str]
) -> None:
    evaluation.benchmark.spec["output"] |= {"width": 2, "class_names": remembered}
    evaluation.benchmark.save()
    rewrite(evaluation.submission.track, output__class_names=today)

    assert reports.report(Evaluation.objects.get(pk=evaluation.pk), now=now)["class_names"] == shown


def test_a_version_of_before_there_were_names_shows_none(evaluation: Evaluation, now: datetime) -> None:
    del evaluation.benchmark.spec["output"]["class_names"]
    evaluation.benchmark.save()
    rewrite(evaluation.submission.track, output__class_names=["only one"])

    assert reports.report(Evaluation.objects.get(pk=evaluation.pk), now=now)["class_names"] == []


def test_the_ranking_metric_stands_first_whatever_its_name(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    evaluation.benchmark.spec |= {"metric": "top5_accuracy", "extra_metrics": ["accuracy"]}
    evaluation.benchmark.save()
    scores = {Metric.ACCURACY: score_value(0.5), Metric.TOP5_ACCURACY: score_value(0.9)}
    lifecycle.record_scored(lease, replace(scored_report(), scores=scores), now=now, place=standings.place)

    shown = reports.report(Evaluation.objects.get(pk=evaluation.pk), now=now)

    assert list(shown["scores"]) == ["top5_accuracy", "accuracy"]


def test_a_rejected_report_has_what_the_command_line_reports(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    rejected = Rejected(*BROKEN, timings_s={"intake": 0.25})
    lifecycle.record_rejected(lease, rejected, now=now)

    shown = report(evaluation, now)

    expected = command_line.rejected(rejected, track="track-one") | {"benchmark": evaluation.benchmark.digest}
    assert {key: shown[key] for key in expected} == expected


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({"code": "of_another_release", "path": "a/b", "facts": {"x": 1}}, id="an unknown code"),
        pytest.param({"code": "macs_over_budget", "path": "a/b", "facts": {}}, id="facts are missing"),
        pytest.param(
            {"code": "archive_too_large", "path": "a/b", "facts": {"allowed_bytes": "nan", "what": "files"}},
            id="a text in the place of a number",
        ),
        pytest.param(
            {"code": "archive_too_large", "path": "a/b", "facts": {"allowed_bytes": None, "what": "files"}},
            id="nothing in the place of a number",
        ),
    ],
)
def test_a_finding_that_this_release_cannot_put_into_words_shows_its_code(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime, stored: dict[str, object]
) -> None:
    lifecycle.record_rejected(lease, Rejected(*BROKEN), now=now)
    Evaluation.objects.update(code=stored["code"], findings=[stored])

    shown = report(evaluation, now)

    finding = shown["findings"][0]
    assert (shown["code"], finding["path"], finding["warning"]) == (stored["code"], "a/b", False)
    assert stored["code"] in shown["message"]
    assert shown["hint"]


def test_a_warning_of_another_shape_is_still_a_warning(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    lifecycle.record_rejected(lease, Rejected(*BROKEN), now=now)
    Evaluation.objects.update(findings=[{"code": "conversion_mismatch", "path": "", "facts": {}}])

    assert report(evaluation, now)["findings"][0]["warning"] is True


def test_reports_have_the_same_fields_however_the_evaluation_stands(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, now: datetime
) -> None:
    evaluations = [make_evaluation(alice, make_track(f"track-{number}")) for number in range(4)]
    _, scored, rejected, failed = evaluations
    lease = lifecycle.claim(scored.pk, owner="w", now=now)
    lifecycle.record_scored(lease, scored_report(), now=now, place=standings.place)
    lifecycle.record_rejected(lifecycle.claim(rejected.pk, owner="w", now=now), Rejected(*BROKEN), now=now)
    fail(failed, now)

    shown = [report(evaluation, now) for evaluation in evaluations]

    assert [each["status"] for each in shown] == ["queued", "scored", "rejected", "failed"]
    shared = [field.name for field in fields(command_line.Report)]
    assert [list(each) for each in shown] == [["status", "stage", *shared, "reference"]] * 4


def test_the_api_declares_every_field_of_the_report() -> None:
    shared = {field.name for field in fields(command_line.Report)}

    assert set(ReportOutput().fields) == shared | {"status", "stage", "reference", "fault"}


def test_a_waiting_evaluation_has_no_verdict(evaluation: Evaluation, now: datetime) -> None:
    shown = report(evaluation, now)

    assert (shown["status"], shown["verdict"], shown["scores"], shown["code"]) == ("queued", None, {}, "")


def test_a_running_evaluation_shows_its_stage(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    lifecycle.note_stage(lease, Stage.PREDICT, now=now)

    shown = report(evaluation, now)

    assert (shown["status"], shown["stage"]) == ("running", "predict")


def fail(evaluation: Evaluation, now: datetime) -> None:
    tried_before(evaluation, at=now)
    lease = lifecycle.claim(evaluation.pk, owner="w", now=now)
    lifecycle.record_fault(lease, reference="abcd1234", detail="/srv/secret on db-host", now=now)


def test_a_failure_shows_participants_a_reference_and_nothing_of_ours(
    evaluation: Evaluation, now: datetime
) -> None:
    fail(evaluation, now)

    shown = report(evaluation, now)

    assert (shown["verdict"], shown["reference"]) == ("fault", "abcd1234")
    assert "abcd1234" in shown["hint"]
    assert "secret" not in str(shown)


def test_staff_see_what_failed(evaluation: Evaluation, now: datetime) -> None:
    fail(evaluation, now)

    assert report(evaluation, now, for_organisers=True)["fault"] == "/srv/secret on db-host"


def test_a_reference_of_an_earlier_attempt_is_not_shown(
    evaluation: Evaluation, lease: lifecycle.Lease, now: datetime
) -> None:
    lifecycle.record_fault(lease, reference="abcd1234", detail="", now=now)

    assert report(evaluation, now)["reference"] == ""


@pytest.mark.parametrize(
    ("rule", "closed", "shown"),
    [
        (PrivateScores.NEVER, True, False),
        (PrivateScores.AFTER_CLOSE, False, False),
        (PrivateScores.AFTER_CLOSE, True, True),
        (PrivateScores.ALWAYS, False, True),
    ],
)
def test_private_scores_are_shown_when_the_track_says_so(
    make_evaluation: Callable[..., Evaluation],
    make_track: Callable[..., Track],
    alice: User,
    now: datetime,
    rule: PrivateScores,
    closed: bool,
    shown: bool,
) -> None:
    track = make_track("secretive", private_scores=rule.value, closes_at=now + timedelta(days=1))
    evaluation = make_evaluation(alice, track)
    lease = lifecycle.claim(evaluation.pk, owner="w", now=now)
    lifecycle.record_scored(lease, scored_report(private=0.5), now=now, place=standings.place)

    private = report(evaluation, now + timedelta(days=2 if closed else 0))["private_scores"]

    assert bool(private) is shown


def test_the_log_is_the_measure_stages(evaluation: Evaluation, lease: lifecycle.Lease, now: datetime) -> None:
    lifecycle.record_scored(lease, scored_report(log="loading weights"), now=now, place=standings.place)
    evaluation.refresh_from_db()

    assert reports.log(evaluation) == "loading weights"
