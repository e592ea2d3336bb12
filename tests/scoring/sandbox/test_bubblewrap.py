import os
from pathlib import Path

import pytest

from scoring.errors import Fault
from scoring.sandbox.bubblewrap import UIDS, mapped_uids, privileges, program


def test_run_users_are_far_above_everybody_s() -> None:
    assert mapped_uids("         0          0 4294967295\n") == UIDS


@pytest.mark.parametrize(
    ("uid_map", "drawn"),
    [
        ("0 1000 1\n1 100000 65536\n", range(1 + 32768, 1 + 65536)),
        ("0 100000 65536\n", range(32768, 65536)),
    ],
)
def test_in_a_container_they_are_among_the_mapped_ones(uid_map: str, drawn: range) -> None:
    assert mapped_uids(uid_map) == drawn


def test_root_keeps_four_capabilities_for_the_keeper_and_makes_no_user_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    words = privileges()

    kept = {words[i + 1] for i, word in enumerate(words) if word == "--cap-add"}
    assert kept == {"CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL"}
    assert words[words.index("--cap-drop") + 1] == "ALL"
    assert words.index("--cap-drop") < words.index("--cap-add")
    assert "--unshare-user" not in words


def test_a_machine_without_bubblewrap_is_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Fault):
        program()
