"""What stands around an attack: secrets to find, a listener to call, files to change, hidden pictures.

One of these serves all cases of a test process, as a worker's machine serves all entries.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import select
import socket
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

SIDE: Final = 32
SAMPLES: Final = 12
CLASSES: Final = 4
STEP: Final = 60
"""How much brighter a picture of the next class is."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Folders, secrets and listeners.

    `picture_secret` stands in the first row of every hidden picture, a byte a pixel, in the first channel.
    `file_secret` is the content of a file of the host, and part of the hidden pictures' names;
    `environment_secret` is a variable of the process that runs the attack.
    """

    root: Path
    picture_secret: str
    file_secret: str
    environment_secret: str
    listeners: tuple[socket.socket, ...]

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def host(self) -> Path:
        return self.root / "host"

    @property
    def secret_file(self) -> Path:
        return self.host / "secret.txt"

    @property
    def words(self) -> dict[str, str]:
        """What stands for these words in an entry's files."""
        stream, datagrams, local = self.listeners
        return {
            "@PORT@": str(stream.getsockname()[1]),
            "@UDP_PORT@": str(datagrams.getsockname()[1]),
            "@SOCKET@": local.getsockname()[1:].decode(),
            "@SECRET_FILE@": str(self.secret_file),
            "@HOST@": str(self.host),
        }

    def environment(self) -> dict[str, str]:
        """Return the environment of the command under attack."""
        folders = {"PODIUM_HOME": "home", "PODIUM_CACHE": "cache", "TMPDIR": "tmp"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        placed = {name: str(self.root / folder) for name, folder in folders.items()}
        return {**inherited, **placed, "PODIUM_SECRET_KEY": self.environment_secret}

    def fingerprint(self) -> dict[str, str]:
        """Return a digest of each file that nobody may change: the host's, the data, the prepared inputs."""
        found = {}
        for folder in (self.host, self.data, self.root / "cache"):
            for path in sorted(folder.rglob("*")):
                if path.suffix == ".npy" or (path.is_file() and folder.name != "cache"):
                    found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def left_behind(self) -> list[str]:
        """Return what is left in the folder for temporary files, below that of all work of this user."""
        return sorted(str(path) for folder in (self.root / "tmp").iterdir() for path in folder.rglob("*"))

    def callers(self) -> int:
        """Return how many listeners someone has called since the last time, and forget the calls."""
        called, _, _ = select.select(self.listeners, [], [], 0)
        for listener in called:
            if listener.type == socket.SOCK_DGRAM:
                listener.recv(2**16)
            else:
                listener.accept()[0].close()
        return len(called)


@contextlib.contextmanager
def surroundings(root: Path) -> Iterator[Surroundings]:
    """Make the folders and open the listeners; close them at the end."""
    for name in ("host", "home", "cache", "tmp"):
        (root / name).mkdir()
    with contextlib.ExitStack() as opened:
        stream = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagrams = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        local = opened.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(f"\0podium-attacks-{secrets.token_hex(8)}")
        local.listen()
        made = Surroundings(
            root=root,
            picture_secret=_letters(),
            file_secret=_letters(),
            environment_secret=_letters(),
            listeners=(stream, datagrams, local),
        )
        made.secret_file.write_text(made.file_secret)
        write_pictures(made.data, made.picture_secret, prefix=made.file_secret)
        yield made


def write_pictures(folder: Path, secret: str, *, prefix: str) -> None:
    """Write the hidden pictures: grey, brighter from class to class, the secret in their first row."""
    folder.mkdir()
    lines = ["file,label"]
    for number in range(SAMPLES):
        label = number % CLASSES
        picture = np.full((SIDE, SIDE, 3), STEP * label + number // CLASSES, np.uint8)
        picture[0, : len(secret), 0] = list(secret.encode())
        name = f"{prefix}-{number}.png"
        cv2.imwrite(str(folder / name), picture)
        lines.append(f"{name},{label}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def _letters() -> str:
    return "".join(secrets.choice(string.ascii_uppercase) for _ in range(16))
