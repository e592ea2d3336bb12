"""The client against a server that answers badly, late, or not at all: real HTTP on this machine."""

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

        do_GET = do_POST = _do  # noqa: N815  # the base class looks for these names

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


def test_an_upload_sends_the_file_in_parts_and_tells_how_far_it_is(
    site: Site, script: Script, entry: Path
) -> None:
    script.answers = [answer({"id": str(ID)}, 201)]
    sent: list[int] = []

    upload = site.upload("t", entry, note=sent.append)

    method, path, headers, body = script.requests[0]
    assert (method, path) == ("POST", "/api/tracks/t/submissions/")
    assert b'name="entry"; filename="net.zip"' in body
    assert b"x" * 200_000 in body
    assert int(headers["Content-Length"]) == len(body)
    assert (upload.id, upload.repeated) == (ID, False)
    assert sent[-1] == 200_000
    assert len(sent) > 2


def test_a_line_that_breaks_in_an_upload_is_tried_again_with_the_whole_file(
    site: Site, script: Script, entry: Path, pauses_s: list[float]
) -> None:
    script.answers = [HANG_UP, HANG_UP, answer({"id": str(ID)}, 201)]

    upload = site.upload("t", entry, note=nothing)

    assert upload.id == ID
    assert pauses_s == [1.0, 2.0]
    assert [b"x" * 200_000 in body for *_, body in script.requests] == [True, True, True]


def test_an_upload_whose_answer_was_lost_ends_at_the_submission_it_made(
    site: Site, script: Script, entry: Path
) -> None:
    script.answers = [HANG_UP, refusal("already_submitted", 409, submission={"id": str(ID)})]

    upload = site.upload("t", entry, note=nothing)

    assert (upload.id, upload.repeated) == (ID, True)


@pytest.mark.parametrize("submission", [None, {}, {"id": 5}, {"id": "../../admin/"}, "x"])
def test_an_earlier_submission_without_a_proper_id_is_not_followed(
    site: Site, script: Script, entry: Path, submission: object
) -> None:
    script.answers = [refusal("already_submitted", 409, submission=submission)]

    with pytest.raises(Unreachable):
        site.upload("t", entry, note=nothing)


def test_a_refusal_of_an_upload_is_not_tried_again(site: Site, script: Script, entry: Path) -> None:
    script.answers = [refusal("quota_used_up", 429)]

    with pytest.raises(Refused) as caught:
        site.upload("t", entry, note=nothing)

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
