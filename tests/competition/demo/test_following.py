"""Submissions are followed side by side, with patience for a slow machine."""

from dataclasses import dataclass, field

from competition.demo.following import PATIENCE_S, POLL_S, TELL_S, Clock, follow

QUEUED = {"status": "queued", "stage": "", "started_at": None}
MEASURING = {"status": "running", "stage": "measure", "started_at": "12:00"}
PREDICTING = {"status": "running", "stage": "predict", "started_at": "12:00"}
SCORED = {"status": "scored", "stage": "metric", "started_at": "12:00"}


@dataclass
class Site:
    """Plays for each submission its states in turn, each from a moment on."""

    plays: dict[str, dict[float, dict[str, str | None]]]
    seconds: float = 0.0
    told: list[list[dict[str, str | None]]] = field(default_factory=list)

    def state_of(self, submission):
        begun = [moment for moment in self.plays[submission] if moment <= self.seconds]
        return self.plays[submission][max(begun)]

    def sleep(self, seconds):
        self.seconds += seconds

    def follow(self, arrivals=None):
        clock = Clock(now=lambda: self.seconds, sleep=self.sleep)
        arrivals = iter([list(self.plays)]) if arrivals is None else arrivals
        return list(follow(arrivals, state_of=self.state_of, tell=self.told.append, clock=clock))


def test_what_ends_first_is_told_first():
    site = Site({"slow": {0: MEASURING, 100: SCORED}, "fast": {0: QUEUED, 10: SCORED}})

    assert site.follow() == [("fast", SCORED), ("slow", SCORED)]


def test_one_that_only_waits_its_turn_is_waited_for_as_long_as_others_go_on():
    site = Site(
        {
            "first": {0: MEASURING, PATIENCE_S - 10: PREDICTING, 2 * PATIENCE_S - 20: SCORED},
            "second": {0: QUEUED, 3 * PATIENCE_S - 30: SCORED},
        }
    )

    assert site.follow() == [("first", SCORED), ("second", SCORED)]


def test_without_any_news_the_waiting_ends():
    site = Site({"scored": {0: SCORED}, "stuck": {0: MEASURING}})

    assert site.follow() == [("scored", SCORED), ("stuck", MEASURING)]
    assert PATIENCE_S <= site.seconds <= PATIENCE_S + POLL_S


def test_while_nothing_ends_it_says_what_waits_and_runs():
    site = Site(
        {"running": {0: MEASURING, 2.5 * TELL_S: SCORED}, "waiting": {0: QUEUED, 2.5 * TELL_S: SCORED}}
    )

    site.follow()

    assert site.told == [[MEASURING, QUEUED]] * 2


def test_results_close_together_are_words_enough():
    site = Site({name: {0: QUEUED, 0.9 * TELL_S * number: SCORED} for number, name in enumerate("abc")})

    site.follow()

    assert site.told == []


def test_what_is_uploaded_later_is_followed_too():
    site = Site({"first": {0: SCORED}, "second": {0: MEASURING, 50: SCORED}})

    assert site.follow(iter([["first"], [], [], ["second"]])) == [("first", SCORED), ("second", SCORED)]


def test_as_long_as_uploads_are_to_come_nobody_loses_patience():
    site = Site({"late": {0: SCORED}})
    nothing_yet = [[]] * int(2 * PATIENCE_S / POLL_S)

    assert site.follow(iter([*nothing_yet, ["late"]])) == [("late", SCORED)]
    assert site.seconds >= 2 * PATIENCE_S


def test_patience_begins_with_the_last_upload():
    site = Site({"stuck": {0: MEASURING}})
    nothing_yet = [[]] * int(PATIENCE_S / POLL_S)

    assert site.follow(iter([*nothing_yet, ["stuck"]])) == [("stuck", MEASURING)]
    assert site.seconds >= 2 * PATIENCE_S - POLL_S
