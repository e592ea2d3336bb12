"""The client against a server that answers badly, late, or not at all: real HTTP on this machine."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from scoring.cli.client import ATTEMPTS, Refused, Site, Unreachable
from scoring.contracts import Status

ID = UUID("12345678-1234-5678-1234-567812345678")
PROGRESS = {
    "status": "running",
    "stage": "predict",
    "position": None,
    "is_final": False,
    "urls": {"page": "http://site/submissions/1/"},
}


class Script:
    """What the server answers, one item after the other; the last one stays."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    def next(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


HANG_UP = object()


def answer(body: Any, status: int = 200, **headers: str) -> tuple[int, dict[str, str], bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, headers, content


def refusal(code: str, status: int, **more: Any) -> tuple[int, dict[str, str], bytes]:
    return answer({"code": code, "message": "No.", "hint": "", "findings": [], **more}, status)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def server(script: Script) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.requests.append((self.command, self.path, dict(self.headers), body))
            reply = script.next()
            if reply is HANG_UP:
                self.close_connection = True
                return
            status, headers, content = reply
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = do_PATCH = _do  # noqa: N815  # the base class looks for these names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture
def pauses_s() -> list[float]:
    return []


@pytest.fixture
def site(server: str, pauses_s: list[float]) -> Iterator[Site]:
    with Site(server, token="secret", pause=pauses_s.append) as one:
        yield one


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    path = tmp_path / "net.zip"
    path.write_bytes(b"x" * 200_000)
    return path


def nothing(_: int) -> None:
    pass


# --- uploading -------------------------------------------------------------------------------------

SHA256 = "ab" * 32
UPLOAD = UUID("87654321-1234-5678-1234-567812345678")
BEGUN = answer(b"", 201, Location=f"/api/uploads/{UPLOAD}/")


def standing(offset: int, submission: UUID | None = None) -> Any:
    done = {"Podium_Submission": str(submission)} if submission else {}
    return answer(b"", 200, Upload_Offset=str(offset), **done)


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def test_an_upload_is_begun_asked_for_and_sent(site: Site, script: Script, entry: Path) -> None:
    script.answers = [BEGUN, standing(0), standing(200_000, ID)]
    sent: list[int] = []

    upload = site.upload("t", entry, sha256=SHA256, note=sent.append)

    begin, _, piece = script.requests
    assert begin[:2] == ("POST", "/api/tracks/t/uploads/")
    assert begin[2]["Upload-Length"] == "200000"
    assert base64.b64encode(SHA256.encode()).decode() in begin[2]["Upload-Metadata"]
    assert piece[:2] == ("PATCH", f"/api/uploads/{UPLOAD}/")
    assert (piece[2]["Upload-Offset"], piece[3]) == ("0", b"x" * 200_000)
    assert (upload.id, upload.repeated) == (ID, False)
    assert sent[-1] == 200_000


def test_a_large_file_goes_in_pieces(
    site: Site, script: Script, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.cli.in_pieces.PIECE_BYTES", 150_000)
    script.answers = [BEGUN, standing(0), standing(150_000), standing(150_000), standing(200_000, ID)]

    site.upload("t", entry, sha256=SHA256, note=nothing)

    assert [len(body) for *_, body in script.requests] == [0, 0, 150_000, 0, 50_000]


def test_after_a_line_that_broke_the_rest_is_sent(
    site: Site, script: Script, entry: Path, pauses_s: list[float]
) -> None:
    script.answers = [BEGUN, standing(0), HANG_UP, HANG_UP, standing(120_000), standing(200_000, ID)]

    upload = site.upload("t", entry, sha256=SHA256, note=nothing)

    assert (upload.id, pauses_s) == (ID, [1.0, 2.0])
    assert script.requests[-1][2]["Upload-Offset"] == "120000"
    assert len(script.requests[-1][3]) == 80_000


def test_an_answer_that_was_lost_is_asked_for(site: Site, script: Script, entry: Path) -> None:
    script.answers = [BEGUN, standing(0), HANG_UP, standing(200_000, ID)]

    assert site.upload("t", entry, sha256=SHA256, note=nothing).id == ID


def test_the_same_command_goes_on_where_it_was_stopped(site: Site, script: Script, entry: Path) -> None:
    script.answers = [BEGUN, standing(0), refusal("track_not_open", 403)]
    with pytest.raises(Refused):
        site.upload("t", entry, sha256=SHA256, note=nothing)
    script.requests.clear()
    script.answers = [standing(150_000), standing(200_000, ID)]

    site.upload("t", entry, sha256=SHA256, note=nothing)

    assert [method for method, *_ in script.requests] == ["HEAD", "PATCH"]


def test_another_file_is_another_upload(site: Site, script: Script, entry: Path) -> None:
    script.answers = [BEGUN, standing(0), refusal("track_not_open", 403)]
    with pytest.raises(Refused):
        site.upload("t", entry, sha256=SHA256, note=nothing)
    script.requests.clear()
    script.answers = [BEGUN, standing(0), standing(200_000, ID)]

    site.upload("t", entry, sha256="cd" * 32, note=nothing)

    assert script.requests[0][0] == "POST"


@pytest.mark.parametrize("status", [404, 410])
def test_what_the_site_forgot_is_begun_anew(
    site: Site, script: Script, entry: Path, status: int, pauses_s: list[float]
) -> None:
    script.answers = [BEGUN, answer(b"", status), BEGUN, standing(0), standing(200_000, ID)]

    assert site.upload("t", entry, sha256=SHA256, note=nothing).id == ID
    assert pauses_s == []


@pytest.mark.parametrize(
    "busy", [refusal("upload_busy", 423), refusal("wrong_offset", 409), refusal("too_many_uploads", 503)]
)
def test_what_passes_is_waited_out(
    site: Site, script: Script, entry: Path, busy: Any, pauses_s: list[float]
) -> None:
    script.answers = [BEGUN, standing(0), busy, standing(0), standing(200_000, ID)]

    assert site.upload("t", entry, sha256=SHA256, note=nothing).id == ID
    assert pauses_s == [1.0]


def test_a_site_says_how_long_to_wait(site: Site, script: Script, entry: Path, pauses_s: list[float]) -> None:
    status, _, body = refusal("upload_busy", 423)
    script.answers = [BEGUN, standing(0), (status, {"Retry-After": "5"}, body), standing(200_000, ID)]

    site.upload("t", entry, sha256=SHA256, note=nothing)

    assert pauses_s == [5.0]


def test_an_upload_that_gets_no_further_is_given_up(
    site: Site, script: Script, entry: Path, pauses_s: list[float]
) -> None:
    script.answers = [BEGUN, HANG_UP]

    with pytest.raises(Unreachable):
        site.upload("t", entry, sha256=SHA256, note=nothing)

    assert pauses_s == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0]


def test_a_defect_of_the_site_is_not_tried_again(
    site: Site, script: Script, entry: Path, pauses_s: list[float]
) -> None:
    script.answers = [BEGUN, standing(0), refusal("server_error", 500)]

    with pytest.raises(Unreachable):
        site.upload("t", entry, sha256=SHA256, note=nothing)

    assert pauses_s == []


def test_a_token_is_not_sent_to_where_an_upload_is_said_to_be(
    site: Site, script: Script, entry: Path
) -> None:
    elsewhere = answer(b"", 201, Location=f"http://127.0.0.1:1/api/uploads/{UPLOAD}/")
    script.answers = [elsewhere, standing(0), standing(200_000, ID)]

    assert site.upload("t", entry, sha256=SHA256, note=nothing).id == ID


@pytest.mark.parametrize("begun", [answer(b"", 201), answer(b"", 201, Location="/api/uploads/../admin/")])
def test_a_beginning_without_an_address_is_not_taken(
    site: Site, script: Script, entry: Path, begun: Any
) -> None:
    script.answers = [begun]

    with pytest.raises(Unreachable):
        site.upload("t", entry, sha256=SHA256, note=nothing)


@pytest.mark.parametrize(
    "told", [{}, {"Upload_Offset": "x"}, {"Upload_Offset": "1", "Podium_Submission": "x"}]
)
def test_an_answer_that_does_not_say_how_far_it_is_is_not_taken(
    site: Site, script: Script, entry: Path, told: dict[str, str]
) -> None:
    script.answers = [BEGUN, answer(b"", 200, **told)]

    with pytest.raises(Unreachable):
        site.upload("t", entry, sha256=SHA256, note=nothing)


def test_a_home_that_cannot_be_written_to_costs_no_upload(
    site: Site, script: Script, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null/none")
    script.answers = [BEGUN, standing(0), standing(200_000, ID)]

    assert site.upload("t", entry, sha256=SHA256, note=nothing).id == ID


def test_a_file_that_the_site_has_ends_at_the_submission_it_made(
    site: Site, script: Script, entry: Path
) -> None:
    script.answers = [refusal("already_submitted", 409, submission={"id": str(ID)})]

    upload = site.upload("t", entry, sha256=SHA256, note=nothing)

    assert (upload.id, upload.repeated) == (ID, True)


@pytest.mark.parametrize("submission", [None, {}, {"id": 5}, {"id": "../../admin/"}, "x"])
def test_an_earlier_submission_without_a_proper_id_is_not_followed(
    site: Site, script: Script, entry: Path, submission: object
) -> None:
    script.answers = [refusal("already_submitted", 409, submission=submission)]

    with pytest.raises(Unreachable):
        site.upload("t", entry, sha256=SHA256, note=nothing)


def test_a_refusal_of_an_upload_is_not_tried_again(site: Site, script: Script, entry: Path) -> None:
    script.answers = [refusal("quota_used_up", 429)]

    with pytest.raises(Refused) as caught:
        site.upload("t", entry, sha256=SHA256, note=nothing)

    assert (caught.value.code, len(script.requests)) == ("quota_used_up", 1)


# --- trouble on the way ------------------------------------------------------------------------------


def test_a_line_that_stays_broken_is_given_up(site: Site, script: Script, pauses_s: list[float]) -> None:
    script.answers = [HANG_UP]

    with pytest.raises(Unreachable):
        site.progress(ID)

    assert len(script.requests) == ATTEMPTS
    assert pauses_s == [2.0**n for n in range(ATTEMPTS - 1)]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_passing_failure_of_the_server_is_waited_out(site: Site, script: Script, status: int) -> None:
    script.answers = [answer(b"<html>", status), answer(PROGRESS)]

    assert site.progress(ID).status is Status.RUNNING


@pytest.mark.parametrize(("code", "status"), [("throttled", 429), ("busy", 503)])
def test_a_busy_server_says_how_long_to_wait(
    site: Site, script: Script, pauses_s: list[float], code: str, status: int
) -> None:
    script.answers = [(status, {"Retry_After": "7"}, refusal(code, status)[2]), answer(PROGRESS)]

    site.progress(ID)

    assert pauses_s == [7.0]


def test_nobody_waits_for_an_hour(site: Site, script: Script, pauses_s: list[float]) -> None:
    throttled = refusal("throttled", 429)
    script.answers = [(429, {"Retry_After": "3600"}, throttled[2])]

    with pytest.raises(Refused):
        site.progress(ID)

    assert pauses_s == []


def test_nobody_listening_is_unreachable(pauses_s: list[float]) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"

        with Site(address, pause=pauses_s.append) as site, pytest.raises(Unreachable):
            site.progress(ID)


def test_a_token_does_not_follow_a_redirect(site: Site, script: Script, server: str) -> None:
    script.answers = [answer(b"", 302, Location=f"{server}/elsewhere/")]

    with pytest.raises(Unreachable):
        site.progress(ID)

    assert [path for _, path, *_ in script.requests] == [f"/api/submissions/{ID}/"]


# --- odd answers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b"[]", b"null", b"{}", b'"text"', b"[" * 100_000, b"NaN"]
)
def test_an_answer_that_is_no_object_is_not_taken(site: Site, script: Script, body: bytes) -> None:
    script.answers = [answer(body)]

    with pytest.raises(Unreachable):
        site.progress(ID)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "happy"},
        {"status": None},
        {"stage": 5},
        {"urls": None},
        {"urls": {"page": 5}},
        {"urls": []},
    ],
)
def test_a_state_that_makes_no_sense_is_not_taken(
    site: Site, script: Script, changes: dict[str, object]
) -> None:
    script.answers = [answer(PROGRESS | changes)]

    with pytest.raises(Unreachable):
        site.progress(ID)


@pytest.mark.parametrize("body", [{}, {"code": 5, "message": "m"}, {"code": "x"}, [], "text"])
def test_a_refusal_in_another_shape_is_not_one_of_podium(site: Site, script: Script, body: object) -> None:
    script.answers = [answer(body, 404)]

    with pytest.raises(Unreachable):
        site.track("t")


@pytest.mark.parametrize(("reference", "told"), [("1a2b3c4d", " Reference: 1a2b3c4d."), ({}, "")])
def test_a_defect_of_the_site_is_no_refusal_and_tells_its_reference(
    site: Site, script: Script, reference: object, told: str
) -> None:
    script.answers = [refusal("server_error", 500, reference=reference)]

    with pytest.raises(Unreachable) as caught:
        site.track("t")

    assert str(caught.value) == f"No.{told}"


@pytest.mark.parametrize("changes", [{"max_upload_bytes": "5"}, {"max_upload_bytes": None}, {"name": 5}])
def test_a_track_without_its_facts_is_not_taken(
    site: Site, script: Script, changes: dict[str, object]
) -> None:
    script.answers = [answer({"slug": "t", "name": "T", "max_upload_bytes": 5} | changes)]

    with pytest.raises(Unreachable):
        site.track("t")


@pytest.mark.parametrize("changes", [{"findings": None}, {"code": None}, {"message": 5}, {"status": None}])
def test_a_report_without_its_words_is_not_taken(
    site: Site, script: Script, changes: dict[str, object]
) -> None:
    script.answers = [
        answer({"status": "scored", "code": "", "message": "", "hint": "", "findings": []} | changes)
    ]

    with pytest.raises(Unreachable):
        site.report(ID)


# --- who is asking -----------------------------------------------------------------------------------


def test_the_token_is_sent_with_each_request(site: Site, script: Script) -> None:
    script.answers = [answer(PROGRESS)]

    site.progress(ID)

    assert script.requests[0][2]["Authorization"] == "Token secret"


def test_a_token_is_exchanged_for_name_and_password(server: str, script: Script) -> None:
    script.answers = [answer({"token": "abc"})]

    with Site(server) as site:
        token = site.create_token("alice", "pw", name="laptop")

    assert token == "abc"
    assert json.loads(script.requests[0][3]) == {
        "username": "alice",
        "password": "pw",
        "name": "laptop",
    }
    assert "Authorization" not in script.requests[0][2]


def test_a_slash_at_the_end_of_the_address_makes_no_difference(
    server: str, script: Script, pauses_s: list[float]
) -> None:
    script.answers = [answer(PROGRESS)]

    with Site(f"{server}/", pause=pauses_s.append) as site:
        site.progress(ID)

    assert script.requests[0][1] == f"/api/submissions/{ID}/"
