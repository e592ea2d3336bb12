"""`podium login`, `logout`, `status`, `leaderboard` and `download` against the real site over real HTTP."""

import io
import json
import stat
import sys

import pytest
from django.core.files.base import ContentFile

from competition.accounts.models import AccessToken
from competition.accounts.tokens import make_token
from competition.leaderboard import standings
from competition.submissions import lifecycle
from competition.submissions.models import Submission
from scoring.cli import following, kept, logins
from scoring.cli.submit import submit
from tests.examples import scored_report

pytestmark = pytest.mark.django_db(transaction=True)
ENTRY = b"an entry"


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def server(live_server):
    return live_server.url


@pytest.fixture
def signed_in(server, alice):
    following.login(server=server, token=make_token(owner=alice, name="laptop"))


@pytest.fixture
def submission(make_evaluation, alice, track):
    """A scored submission of Alice's whose entry is in the store."""
    from django.utils import timezone

    evaluation = make_evaluation(alice, track)
    lease = lifecycle.claim(evaluation.pk, owner="w", now=timezone.now())
    lifecycle.record_scored(lease, scored_report(0.75), now=timezone.now(), place=standings.place)
    found = evaluation.submission
    found.entry.save("x", ContentFile(ENTRY), save=False)
    digest = __import__("hashlib").sha256(ENTRY).hexdigest()
    Submission.objects.filter(pk=found.pk).update(entry=found.entry.name, sha256=digest, entry_name="net.zip")
    found.refresh_from_db()
    return found


def test_a_login_is_kept_for_its_owner_alone(signed_in, server):
    file = kept.folder() / "logins.json"

    assert logins.only_server() == server
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_login_by_password_makes_a_token_of_its_own(server, alice, monkeypatch, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    alice.set_password("correct horse battery")
    alice.save()
    monkeypatch.setattr(sys, "stdin", io.StringIO("alice\n"))
    monkeypatch.setattr("getpass.getpass", lambda prompt: "correct horse battery")

    assert following.login(server=server, token=None) == 0

    assert AccessToken.objects.get(user=alice).name == "podium login"


def test_a_wrong_token_is_not_kept(server, capsys):
    assert following.login(server=server, token="0" * 40) == 2
    assert logins.token_for(server) is None
    assert "unknown or was revoked" in capsys.readouterr().err


def test_a_logout_ends_that_token_and_no_other(signed_in, server, alice):
    make_token(owner=alice, name="CI")

    assert following.logout(server=None) == 0

    assert [token.name for token in AccessToken.objects.filter(user=alice)] == ["CI"]
    assert logins.token_for(server) is None
    assert following.logout(server=server) == 2


def test_after_a_login_a_submit_needs_neither_address_nor_token(signed_in, track, tmp_path, capsys):
    (tmp_path / "net.zip").write_bytes(ENTRY)

    def cancel(_: float) -> None:
        from django.utils import timezone

        lifecycle.cancel(Submission.objects.get().evaluations.get().pk, now=timezone.now())

    submit(tmp_path / "net.zip", track=track.slug, server=None, token=None, json=False, pause=cancel)

    assert Submission.objects.get().participant.username == "alice"


def test_without_a_login_the_site_is_asked_for(capsys):
    assert following.status(None, track=None, server=None, token=None, json=False) == 2
    assert "podium login --server" in capsys.readouterr().err


def test_the_status_lists_ones_submissions_with_their_scores(signed_in, submission, capsys):
    assert following.status(None, track=None, server=None, token=None, json=False) == 0

    told = capsys.readouterr().out
    assert str(submission.id) in told
    assert "net.zip" in told
    assert "0.750000" in told


def test_the_status_of_one_is_its_report(signed_in, submission, capsys):
    assert following.status(submission.id, track=None, server=None, token=None, json=True) == 0

    assert json.loads(capsys.readouterr().out)["scores"]["accuracy"]["value"] == 0.75


def test_nothing_submitted_is_said_so(signed_in, track, capsys):
    following.status(None, track=track.slug, server=None, token=None, json=False)

    assert capsys.readouterr().out == "No submissions yet.\n"


def test_the_leaderboard_needs_no_account(server, submission, track, capsys):
    assert following.leaderboard(track=track.slug, top=20, server=server, token=None, json=False) == 0

    told = capsys.readouterr().out
    assert "alice" in told
    assert "0.750000" in told


def test_an_unknown_track_is_refused_in_words(server, capsys):
    assert following.leaderboard(track="nope", top=20, server=server, token=None, json=False) == 2
    assert "Not found" in capsys.readouterr().err


def test_an_entry_comes_back_as_it_went(signed_in, submission, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert following.download(submission.id, output=None, server=None, token=None) == 0

    assert (tmp_path / "net.zip").read_bytes() == ENTRY
    assert following.download(submission.id, output=None, server=None, token=None) == 2


def test_an_entry_that_came_otherwise_is_not_kept(signed_in, submission, tmp_path, capsys):
    Submission.objects.update(sha256="0" * 64)

    assert following.download(submission.id, output=tmp_path / "a.zip", server=None, token=None) == 3

    assert list(tmp_path.glob("a.zip*")) == []


def test_somebody_elses_entry_is_not_found(server, submission, bob, tmp_path):
    token = make_token(owner=bob, name="laptop")

    assert following.download(submission.id, output=tmp_path / "a.zip", server=server, token=token) == 2


def test_a_site_that_is_away_is_a_fault(capsys):
    assert following.leaderboard(track="x", top=1, server="http://127.0.0.1:9", token=None, json=False) == 3
