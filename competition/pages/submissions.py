"""Pages about submissions: one's own list, one submission, its live part, cancelling; the queue's health."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from competition.accounts.people import signed_in_user
from competition.clock import database_now
from competition.leaderboard import baselines, choosing
from competition.leaderboard.prospects import history_of, prospect_of
from competition.submissions import progress, queue, reports, services, workers
from competition.submissions.bars import bars, budgets_of, exceeded
from competition.submissions.counts import submissions_by
from competition.submissions.entry_files import entry_response
from competition.submissions.expected import expected_wait_s, poll_after_s
from competition.submissions.health import health
from competition.submissions.models import Baseline, Evaluation, Submission, Visibility
from competition.submissions.places import place_of
from competition.submissions.quarantined import quarantine_of
from competition.submissions.selectors import (
    may_cancel,
    may_operate,
    may_queue_again,
    newest_first,
    submissions_of,
    submissions_visible_to,
)
from competition.tracks.access import organises, sees_all
from competition.tracks.models import Track
from competition.tracks.wording import directed_title, metric_title
from scoring.contracts import ShownBreakdown, Status
from scoring.errors import Rejected, render_all
from scoring.reports.counts import count_rows, counted_in_words

SUBMISSIONS_A_PAGE = 25


@login_required
@require_safe
def my_submissions(request: HttpRequest) -> HttpResponse:
    """List one's own submissions, of one track if asked."""
    participant = signed_in_user(request)
    slug = request.GET.get("track", "")
    pages = Paginator(submissions_of(participant, track_slug=slug), SUBMISSIONS_A_PAGE)
    pages.count = submissions_by(participant.pk, track_slug=slug)  # kept: it would be counted otherwise
    own_tracks = Track.objects.filter(participations__participant=participant)
    context = {"page": pages.get_page(request.GET.get("page")), "own_tracks": own_tracks, "chosen": slug}
    return render(request, "submissions/list.html", context)


@login_required
@never_cache
@require_safe
def submission(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Show one submission with its result, to its owner and to organisers."""
    found = _visible_submission(request, submission_id)
    evaluation = _asked_evaluation(request, found)
    viewer, now = signed_in_user(request), database_now()
    history = history_of(evaluation)
    context = {
        "submission": found,
        "evaluations": newest_first(found),
        "prospect": prospect_of(evaluation),
        "history": history,
        "history_plain": {
            "metric": metric_title(evaluation.benchmark.spec["metric"]),
            "scores": [{**asdict(each), "at": each.at.isoformat()} for each in history],
        },
        "is_own": found.participant_id == viewer.pk,
        "max_note": choosing.MAX_NOTE,
        "is_final": choosing.is_chosen(found),
        "why_no_final": choosing.why_no_final(found, now),
        "has_ended": found.track.is_closed(now),
        "baseline": Baseline.objects.filter(submission=found).first(),
        "may_be_baseline": organises(viewer, found.track.competition_id) and baselines.may_be_baseline(found),
        **_live_context(request, evaluation),
    }
    return render(request, "submissions/detail.html", context)


@login_required
@never_cache
@require_safe
def submission_live(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Show the part of a submission's page that changes while it is evaluated."""
    found = _visible_submission(request, submission_id)
    evaluation = _asked_evaluation(request, found)
    context = {"submission": found, **_live_context(request, evaluation)}
    return render(request, "submissions/live.html", context)


@login_required
@require_safe
def submission_entry(request: HttpRequest, submission_id: UUID) -> FileResponse:
    """Give an entry back to its owner, or to organisers."""
    return entry_response(_visible_submission(request, submission_id), reader=signed_in_user(request))


@login_required
@require_POST
def submission_cancel(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Cancel the newest evaluation of a submission."""
    found = _visible_submission(request, submission_id)
    evaluation = _asked_evaluation(request, found)
    if not may_cancel(signed_in_user(request), evaluation):
        raise PermissionDenied
    if services.cancel_evaluation(evaluation=evaluation, by=signed_in_user(request)):
        messages.success(request, "The submission is being cancelled.")
    else:
        messages.warning(request, "This submission has already finished; nothing was cancelled.")
    return redirect(found)


@login_required
@require_POST
def submission_queue(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Queue a submission again that its participant cancelled."""
    found = _visible_submission(request, submission_id)
    if found.participant_id != signed_in_user(request).pk:
        raise PermissionDenied
    try:
        if services.queue_again(submission=found):
            messages.success(request, "The submission waits for a worker again.")
        else:
            messages.warning(request, "This submission was not cancelled; nothing was changed.")
    except Rejected as rejected:
        for finding in render_all(rejected.findings):
            messages.error(request, finding.message)
    return redirect(found)


@login_required
@require_POST
def submission_change(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Change what a participant may of a submission: its note, whether boards show it, whether it is final."""
    found = _visible_submission(request, submission_id)
    if found.participant_id != signed_in_user(request).pk:
        raise PermissionDenied
    wanted = request.POST
    try:
        if "note" in wanted:
            choosing.set_note(found, wanted["note"])
        if wanted.get("visibility") in Visibility.values:
            choosing.set_visibility(found, Visibility(wanted["visibility"]))
        if wanted.get("final") in ("yes", "no"):
            choosing.choose_final(found, is_final=wanted["final"] == "yes")
        messages.success(request, "Saved.")
    except choosing.NotPossible as why:
        messages.error(request, str(why))
    return redirect(found)


@login_required
@require_POST
def submission_baseline(request: HttpRequest, submission_id: UUID) -> HttpResponse:
    """Let an organiser show an own submission as a baseline, or no longer."""
    found = _visible_submission(request, submission_id)
    if not organises(signed_in_user(request), found.track.competition_id):
        raise PermissionDenied
    name = request.POST.get("name", "").strip()[:80]
    if not baselines.may_be_baseline(found):
        messages.error(request, "Only an organiser's own submission can be a baseline.")
    elif name:
        baselines.make_baseline(submission=found, name=name, by=signed_in_user(request))
        messages.success(request, "Boards show this submission as a baseline, without a rank.")
    elif baselines.end_baseline(submission=found, by=signed_in_user(request)):
        messages.success(request, "This submission counts like any other again.")
    return redirect(found)


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Show how the queue and its workers are doing; their machines to superusers alone."""
    now = database_now()
    waiting_for = {name: workers.service(name, now) for name in sorted(queue.queues_with_work(now))}
    context = {
        "health": health(now),
        "now": now,
        "workers": workers.alive(now),
        "unserved": [(name, found.seen_at) for name, found in waiting_for.items() if not found.is_served],
        "shows_machines": sees_all(request.user),
    }
    return render(request, "status.html", context)


def _visible_submission(request: HttpRequest, submission_id: UUID) -> Submission:
    """Return the submission, or "not found" for those who may not even know that it exists."""
    return get_object_or_404(submissions_visible_to(signed_in_user(request)), pk=submission_id)


def _asked_evaluation(request: HttpRequest, found: Submission) -> Evaluation:
    """Return the evaluation of the asked benchmark version, or the newest."""
    version = request.GET.get("version", "")
    for evaluation in newest_first(found):
        if not version or str(evaluation.benchmark.number) == version:
            return evaluation
    raise Http404("no such evaluation")


def _live_context(request: HttpRequest, evaluation: Evaluation) -> dict[str, object]:
    now, track = database_now(), evaluation.submission.track
    viewer = signed_in_user(request)
    for_organisers = organises(viewer, track.competition_id)
    report = reports.report(evaluation, now=now, for_organisers=for_organisers)
    place, waits_for_publishing = place_of(evaluation), queue.waits_for_publishing(evaluation)
    unserved = queue.missing_service(evaluation, now)
    quarantine = quarantine_of(evaluation.submission)
    paused_at = track.paused_at if evaluation.status == Status.QUEUED else None
    usage = report.get("usage")
    return {
        "evaluation": evaluation,
        "report": report,
        "poll_s": poll_after_s(place),
        "expected_wait_s": expected_wait_s(evaluation, place, now) if unserved is None else None,
        "may_cancel": may_cancel(viewer, evaluation),
        "may_operate": may_operate(viewer, evaluation.submission),
        "may_queue_again": may_queue_again(viewer, evaluation),
        "is_waiting": evaluation.status == Status.QUEUED,
        "status_words": progress.status_words(evaluation),
        "steps": progress.steps(evaluation),
        "place": place,
        "waits_for_publishing": waits_for_publishing,
        "unserved": unserved,
        "quarantine": quarantine,
        "paused_at": paused_at,
        "elapsed_s": progress.elapsed_s(evaluation, now),
        "announcement": progress.announcement(
            evaluation,
            place=place,
            waits_for_publishing=waits_for_publishing,
            is_served=unserved is None,
            is_paused=paused_at is not None,
            is_quarantined=quarantine is not None,
        ),
        "bars": bars(usage, budgets_of(evaluation.benchmark.spec))
        if usage
        else exceeded(evaluation.findings),
        "counted": counted_in_words(usage) if usage else "",
        "counts": count_rows(usage) if usage else [],
        "scores": _titled(report.get("scores")),
        "private_scores": _titled(report.get("private_scores")),
        "quantised_scores": _titled((report["quantised"] or {}).get("scores")),
        "quantised_private_scores": _titled((report["quantised"] or {}).get("private_scores")),
        "private_shown_to_all": track.shows_private_scores(now),
        "log": reports.log(evaluation),
        "shown_breakdown": ShownBreakdown.FULL if for_organisers else track.shown_breakdown(),
        "shows_steps": not for_organisers,
        "timings": progress.timings(report["timings_s"]),
    }


def _titled(scores: dict[str, dict[str, object]] | None) -> list[tuple[str, dict[str, object]]]:
    return [(directed_title(name), value) for name, value in (scores or {}).items()]
