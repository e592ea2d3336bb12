"""What an attack would leave is noticed: without a sandbox, a harmless entry leaves one trace of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.attacks import arena, effects
from tests.attacks.honest import HONEST
from tests.attacks.surroundings import Surroundings, surroundings

MODEL = """
import os, socket
import torch

socket.create_connection(("127.0.0.1", {port})).close()
print(open({secret!r}).read(), os.environ.get("PODIUM_SECRET_KEY"))
open({secret!r} + ".new", "w").write("owned")
open({secret!r}, "a").write("owned")
kept = bytearray(2 * 2**30)
for page in range(0, len(kept), 4096):
    kept[page] = 1


class Model(torch.nn.Module):
    def forward(self, x):
        return x.mean((2, 3))[:, :1].repeat(1, 4)
"""


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Let the entry run as the user's own program, and return what was noticed of it."""
    root = tmp_path_factory.mktemp("unconfined")
    with surroundings(root) as around:
        before = around.fingerprint()
        ending = _without_a_sandbox(around, root)
        yield "\n".join(effects.harm(around, ending, before=before))


def _without_a_sandbox(around: Surroundings, root: Path) -> arena.Ending:
    entry, track = root / "entry", root / "track.yaml"
    entry.mkdir()
    words = around.words
    (entry / "model.py").write_text(MODEL.format(port=words["@PORT@"], secret=words["@SECRET_FILE@"]))
    roomy = {"run_limits": {"max_memory_bytes": 4 * 2**30}}
    track.write_text(yaml.safe_dump(arena.track_document(replace(HONEST, track=roomy))))
    return arena.podium("check", entry, track, around, "--trust")


@pytest.mark.slow
@pytest.mark.parametrize(
    "trace",
    [
        "changed: ",
        "new: ",
        "listeners of the host were called",
        "shown: the file of the host",
        "bytes of memory",
    ],
)
def test_what_an_entry_does_without_a_sandbox_is_noticed(trace: str, traces: str) -> None:
    assert trace in traces


@pytest.mark.parametrize("disguise", [str, lambda s: s.encode().hex(), lambda s: s[::-1]])
def test_a_secret_in_disguise_is_noticed(disguise: object, tmp_path: Path) -> None:
    with surroundings(tmp_path) as around:
        printed = f"loss: {disguise(around.picture_secret)}"

        assert effects.shown_secrets(around, printed) == ["hidden pictures"]
