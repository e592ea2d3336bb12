"""A line to the site that can be broken in the middle of what is sent, and mended."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

PIECE_BYTES = 16_384


class Line:
    """Passes on what comes, on a port of its own."""

    def __init__(self, port: int) -> None:
        self._site = ("127.0.0.1", port)
        self._left: int | None = None
        self._open: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._close(self._door)
        self._break()

    def break_after(self, sent_bytes: int) -> None:
        """Let so many more bytes through to the site, then nothing."""
        self._left = sent_bytes

    def mend(self) -> None:
        self._left = None

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                browser, _ = self._door.accept()
                if self._left == 0:
                    self._close(browser)
                    continue
                site = socket.create_connection(self._site)
                self._open |= {browser, site}
                for source, target in ((browser, site), (site, browser)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                if self._left is not None and target.getpeername() == self._site:
                    piece = piece[: self._left]
                    self._left -= len(piece)
                target.sendall(piece)
                if self._left == 0:
                    self._break()
        for end in (source, target):
            self._close(end)

    def _break(self) -> None:
        for end in list(self._open):
            self._close(end)

    def _close(self, end: socket.socket) -> None:
        self._open.discard(end)
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
