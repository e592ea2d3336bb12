"""Uploads are made when they are ready, results are compared with what is expected, and boards are shown."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import pytest

from competition.demo import competing
from competition.demo.competing import Competition
from competition.demo.following import Clock
from competition.demo.plan import needed_by
from competition.demo.serve import ServiceDied
from competition.demo.telling import Teller
from competition.demo.uploads import BASELINES, REFUSED, UPLOADS

ROW = {"rank": 1, "participant": "ada", "value": 0.94, "ci": [0.91, 0.96]}


@dataclass
class Stage:
    """Plays the site, the parts and the clock: each look at the parts ends one more of them."""

    unfinished: list[str] = field(default_factory=list)
    ends: dict[str, dict[str, str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    running: tuple[str, ...] = ()

    def look(self):
        if self.unfinished:
            self.log.append(f"done: {self.unfinished.pop(0)}")

    def answer(self, request):
        if request.method == "POST":
            name = request.content.split(b'filename="')[1].split(b'"')[0].decode()
            self.log.append(f"upload: {name}")
            return httpx.Response(201, json={"id": name})
        if request.url.path.endswith("/leaderboard/"):
            return httpx.Response(200, json={"rows": [ROW]})
        name = request.url.path.split("/")[-2]
        return httpx.Response(200, json={"stage": "", "code": "", **self.ends[name]})


class Site:
    """A site that stays up."""

    url = "http://podium.test"

    def look(self):
        pass


def as_they_must(*uploads):
    return {upload.file: {"status": upload.status, "code": upload.code} for upload in uploads}


@pytest.fixture
def hold(tmp_path, monkeypatch):
    """Hold the competition with these uploads on a stage."""

    def hold(stage, uploads, services=None):
        for upload in uploads:
            (tmp_path / upload.file).write_text("entry")
        monkeypatch.setattr(
            competing,
            "_sign_in",
            lambda url, name, password: httpx.Client(
                base_url=url, transport=httpx.MockTransport(stage.answer)
            ),
        )
        monkeypatch.setattr(competing, "Clock", lambda: Clock(sleep=lambda seconds: None))
        passwords = dict.fromkeys(("ada", "grace"), "")
        return Competition(services or Site(), stage, tmp_path, passwords, uploads, Teller()).hold()

    return hold


def test_all_ended_as_expected(hold):
    assert hold(Stage(ends=as_they_must(*UPLOADS)), UPLOADS) is True


def test_an_entry_is_uploaded_once_all_that_it_needs_is_done(hold):
    upload = BASELINES[0]
    stage = Stage(unfinished=[*needed_by(upload), "something else"], ends=as_they_must(upload))

    hold(stage, [upload])

    done = [stage.log.index(f"done: {name}") for name in needed_by(upload)]
    assert max(done) < stage.log.index(f"upload: {upload.file}") < stage.log.index("done: something else")


def test_entries_that_are_ready_do_not_wait_for_those_that_are_trained(hold):
    trained, ready = BASELINES[0], REFUSED[0]
    training = next(name for name in needed_by(trained) if name not in needed_by(ready))
    stage = Stage(unfinished=[*needed_by(ready), training], ends=as_they_must(trained, ready))

    hold(stage, [trained, ready])

    assert [line for line in stage.log if line.startswith("upload")] == [
        f"upload: {ready.file}",
        f"upload: {trained.file}",
    ]


def test_an_unexpected_result_is_told_with_what_was_expected(hold, capsys):
    refused = REFUSED[0]
    stage = Stage(ends={refused.file: {"status": "scored", "code": ""}})

    assert hold(stage, [refused]) is False
    assert "over_budget.zip on cvpr2022-track1: scored, expected rejected" in capsys.readouterr().out


def test_the_board_is_shown_with_its_address_as_soon_as_there_is_a_score_and_once(hold, capsys):
    scored, refused = BASELINES[0], REFUSED[0]
    stage = Stage(ends=as_they_must(scored, refused))

    hold(stage, [scored, refused])

    told = capsys.readouterr().out
    assert told.count("0.9400") == 1
    assert told.count("http://podium.test/tracks/cvpr2022-track1/leaderboard/") == 1
    assert told.index("0.9400") < told.index(f"{refused.file} on")


def test_an_entry_that_was_uploaded_before_is_followed(hold, monkeypatch):
    upload = BASELINES[0]
    stage = Stage(ends=as_they_must(upload))
    conflict = httpx.Response(409, json={"submission": {"id": upload.file}})
    answer = stage.answer
    stage.answer = lambda request: conflict if request.method == "POST" else answer(request)

    assert hold(stage, [upload]) is True


def test_waiting_ends_where_the_worker_has_died(hold):
    class Dying(Site):
        def look(self):
            raise ServiceDied("the worker ended with exit code 1")

    with pytest.raises(ServiceDied, match="the worker ended"):
        hold(Stage(), BASELINES, services=Dying())
