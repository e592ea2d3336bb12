from pathlib import Path

import pytest

from scoring.contracts import RunLimits
from scoring.sandbox.cage import Exhibits, arguments, environment, open_parents

EXHIBITS = Exhibits(
    request=Path("/host/request.json"),
    package=Path("/host/package"),
    inputs=Path("/host/inputs.npy"),
    outputs=Path("/host/outputs.bin"),
)


def binds(option: str) -> dict[str, str]:
    words = arguments(EXHIBITS.mounts, EXHIBITS.outputs, RunLimits())
    return {words[i + 2]: words[i + 1] for i, word in enumerate(words) if word == option}


def test_only_outputs_are_writable() -> None:
    assert binds("--bind") == {"/outputs.bin": "/host/outputs.bin"}


def test_package_inputs_and_request_are_read_only() -> None:
    mounted = binds("--ro-bind")

    assert mounted["/package"] == "/host/package"
    assert mounted["/given/inputs.npy"] == "/host/inputs.npy"
    assert mounted["/given/request.json"] == "/host/request.json"


@pytest.mark.parametrize("secret", ["metrics", "errors.py", "flow", "worker", "readers", "sandbox"])
def test_of_our_code_the_entry_sees_nothing_else(secret: str) -> None:
    ours = [inside for inside in binds("--ro-bind") if inside.startswith("/podium")]

    assert f"/podium/scoring/{secret}" not in ours
    assert "/podium/scoring" not in ours


def test_the_device_folder_holds_five_devices() -> None:
    assert set(binds("--dev-bind")) == {
        f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")
    }


def test_the_root_is_closed_after_everything_is_mounted() -> None:
    words = arguments(EXHIBITS.mounts, EXHIBITS.outputs, RunLimits())

    closed = words.index("--remount-ro")
    assert words[closed + 1] == "/"
    assert not {"--dir", "--tmpfs", "--bind", "--ro-bind", "--symlink"} & set(words[closed:])


def test_tmp_is_as_large_as_the_limit() -> None:
    words = arguments(EXHIBITS.mounts, EXHIBITS.outputs, RunLimits(max_tmp_bytes=12_345))

    assert words[words.index("--tmpfs") - 2 : words.index("--tmpfs") + 2] == [
        "--size",
        "12345",
        "--tmpfs",
        "/tmp",
    ]


def test_the_environment_is_cleared_and_set_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://user:password@host/db")

    assert "--clearenv" in arguments(EXHIBITS.mounts, EXHIBITS.outputs, RunLimits())
    assert "DATABASE_URL" not in environment(2)


def test_threads_are_the_track_s() -> None:
    assert environment(3)["OMP_NUM_THREADS"] == environment(3)["MKL_NUM_THREADS"] == "3"


def test_folders_above_mounts_are_open_and_made_from_the_top() -> None:
    assert open_parents(["/a/b/c", "/a/d", "/tmp/x/y"]) == [
        *("--perms", "0755", "--dir", "/a"),
        *("--perms", "0755", "--dir", "/a/b"),
        *("--perms", "0755", "--dir", "/tmp/x"),
    ]
