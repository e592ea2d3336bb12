"""The demonstration's competition, through the API: sign up, upload what is ready, follow it, show the boards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from competition.demo.following import FINAL, PATIENCE_S, Clock, State, follow
from competition.demo.parts import Parts
from competition.demo.plan import needed_by
from competition.demo.serve import Services
from competition.demo.telling import Teller, console
from competition.demo.uploads import Upload


@dataclass
class Competition:
    """The participants' uploads, and what comes of them."""

    services: Services
    parts: Parts
    entries: Path
    passwords: dict[str, str]
    uploads: Sequence[Upload]
    say: Teller
    _clients: dict[str, httpx.Client] = field(default_factory=dict)
    _submitted: dict[str, Upload] = field(default_factory=dict)
    _shown: dict[str, list[Any]] = field(default_factory=dict)

    def hold(self) -> bool:
        """Upload and follow all entries, and show the boards; say whether everything ended as it should."""
        try:
            ended = follow(
                self._submit_what_is_ready(),
                state_of=self._state_of,
                tell=self._tell_of_waiting,
                clock=Clock(),
            )
            results = [self._note(self._submitted[submission], state) for submission, state in ended]
            for track in dict.fromkeys(upload.track for upload in self.uploads):
                self._show_board(track)
        finally:
            for client in self._clients.values():
                client.close()
        return all(results) and len(results) == len(self.uploads)

    def _submit_what_is_ready(self) -> Iterator[list[str]]:
        """Yield, whenever asked, the submissions of the entries that have become ready since."""
        waiting = list(self.uploads)
        while waiting:
            self._look()
            ready = [upload for upload in waiting if not set(needed_by(upload)) & set(self.parts.unfinished)]
            waiting = [upload for upload in waiting if upload not in ready]
            yield [self._submit(upload) for upload in ready]

    def _look(self) -> None:
        self.services.look()
        self.parts.look()

    def _client(self, name: str) -> httpx.Client:
        """Return a client with the participant's token; sign the participant up if need be."""
        if name not in self._clients:
            self._clients[name] = _sign_in(self.services.url, name, self.passwords[name])
        return self._clients[name]

    def _submit(self, upload: Upload) -> str:
        """Upload the entry and return the submission's id; an entry that is there already is followed."""
        path = self.entries / upload.file
        with path.open("rb") as entry:
            answer = self._client(upload.participant).post(
                f"/api/tracks/{upload.track}/submissions/", files={"entry": (path.name, entry)}
            )
        if answer.status_code == httpx.codes.CONFLICT:
            submission = str(answer.json()["submission"]["id"])
        else:
            submission = str(answer.raise_for_status().json()["id"])
        self.say(f"{upload.participant} uploads {upload.file} to {upload.track}")
        self._submitted[submission] = upload
        return submission

    def _state_of(self, submission: str) -> State:
        self._look()
        client = self._client(self._submitted[submission].participant)
        state: State = client.get(f"/api/submissions/{submission}/").raise_for_status().json()
        return state

    def _tell_of_waiting(self, states: Sequence[State]) -> None:
        counts = Counter(f"in {state['stage']}" if state["stage"] else "waiting" for state in states)
        entries = [
            f"{number} {'entry' if number == 1 else 'entries'} {words}" for words, number in counts.items()
        ]
        self.say(f"still at work: {', '.join([*entries, *self.parts.running])}", style="dim")

    def _note(self, upload: Upload, state: State) -> bool:
        """Tell a result, with the board that it changes; say whether the result is the expected one."""
        status = state["status"]
        how = status if status in FINAL else f"still {status}, without news for {PATIENCE_S:g} s"
        is_right = (status, state["code"] or "") == (upload.status, upload.code)
        mark = "as expected" if is_right else f"expected {upload.status} {upload.code}"
        words = (
            f"{upload.participant}'s {upload.file} on {upload.track}: {how} {state['code'] or ''}".rstrip()
        )
        self.say(f"{words}, {mark}", style="green" if is_right else "red")
        if status == "scored":
            self._show_board(upload.track)
        return is_right

    def _show_board(self, track: str) -> None:
        """Print the track's board, unless it was printed as it is."""
        board = next(iter(self._clients.values())).get(f"/api/tracks/{track}/leaderboard/")
        rows = board.raise_for_status().json()["rows"]
        if self._shown.get(track) == rows:
            return
        self._shown[track] = rows
        table = Table("rank", "participant", "score", "95% interval", title=f"Leaderboard of {track}")
        for row in rows:
            low, high = row["ci"]
            table.add_row(
                str(row["rank"]), row["participant"], f"{row['value']:.4f}", f"{low:.4f} to {high:.4f}"
            )
        console.print(table)
        console.print(f"{self.services.url}/tracks/{track}/leaderboard/", soft_wrap=True)


def _sign_in(url: str, name: str, password: str) -> httpx.Client:
    """Sign the participant up if need be, and return a client that carries the token."""
    # A connection for each request: the server closes idle ones after as long as `follow` waits between two.
    client = httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(max_keepalive_connections=0))
    account = {"username": name, "password": password}
    answer = client.post("/api/token/", json=account)
    if answer.is_client_error:
        client.post("/api/accounts/", json={**account, "email": f"{name}@example.org"}).raise_for_status()
        answer = client.post("/api/token/", json=account)
    answer.raise_for_status()
    client.headers["Authorization"] = f"Token {answer.json()['token']}"
    return client
