import fcntl
import json
import multiprocessing
import os
import signal

import pytest

from scoring.cache.build import obtain

SPAWN = multiprocessing.get_context("spawn")


def nothing():
    pass


class Builder:
    """Write `content` and count how often that was asked for."""

    def __init__(self, content=b"content"):
        self.content = content
        self.calls = 0

    def __call__(self, stream):
        self.calls += 1
        stream.write(self.content)


@pytest.fixture
def builder():
    return Builder()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "arrays.npy"


def test_the_first_caller_builds(target, builder):
    assert obtain(target, builder, tick=nothing).read_bytes() == b"content"


def test_the_second_caller_finds_it_built(target, builder):
    obtain(target, builder, tick=nothing)

    obtain(target, builder, tick=nothing)

    assert builder.calls == 1


def test_a_file_cut_short_is_built_again(target, builder):
    obtain(target, builder, tick=nothing)
    os.truncate(target, 3)

    assert obtain(target, builder, tick=nothing).read_bytes() == b"content"


def test_a_file_changed_at_equal_size_is_built_again(target, builder):
    obtain(target, builder, tick=nothing)
    before = target.stat()
    target.write_bytes(b"CONTENT")
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns + 1))

    assert obtain(target, builder, tick=nothing).read_bytes() == b"content"


def test_a_file_that_is_gone_is_built_again(target, builder):
    obtain(target, builder, tick=nothing)
    target.unlink()

    assert obtain(target, builder, tick=nothing).read_bytes() == b"content"


@pytest.mark.parametrize("seal", [b"", b"{", b"null", b"\xff", b'{"bytes": 7}'])
def test_a_file_with_a_broken_seal_is_built_again(target, builder, seal):
    obtain(target, builder, tick=nothing)
    target.with_name("arrays.npy.seal").write_bytes(seal)

    obtain(target, builder, tick=nothing)

    assert builder.calls == 2


def test_a_file_without_a_seal_is_built_again(target, builder):
    target.parent.mkdir()
    target.write_bytes(b"content")

    obtain(target, builder, tick=nothing)

    assert builder.calls == 1


def test_a_failed_build_leaves_nothing_and_the_next_caller_builds(target, builder):
    def fail(stream):
        stream.write(b"half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        obtain(target, fail, tick=nothing)
    assert not target.exists()

    assert obtain(target, builder, tick=nothing).read_bytes() == b"content"


def test_what_a_killed_builder_left_is_swept(target, builder):
    target.parent.mkdir()
    leftover = target.with_name("arrays.npy.99999.partial")
    leftover.write_bytes(b"half")

    obtain(target, builder, tick=nothing)

    assert not leftover.exists()


def test_while_another_builds_the_caller_ticks_and_waits(target, builder):
    target.parent.mkdir()
    other = target.with_name("arrays.npy.lock").open("ab")
    fcntl.flock(other, fcntl.LOCK_EX)

    obtain(target, builder, tick=other.close)

    assert other.closed
    assert builder.calls == 1


def test_what_another_built_meanwhile_is_used(target, builder):
    target.parent.mkdir()
    other = target.with_name("arrays.npy.lock").open("ab")
    fcntl.flock(other, fcntl.LOCK_EX)

    def finish():
        target.write_bytes(b"content")
        status = target.stat()
        seal = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
        target.with_name("arrays.npy.seal").write_text(json.dumps(seal))
        other.close()

    obtain(target, builder, tick=finish)

    assert builder.calls == 0


def build_slowly(target, may_go_on, started, builds):
    def build(stream):
        with builds.get_lock():
            builds.value += 1
        started.set()
        may_go_on.wait()
        stream.write(b"content")

    obtain(target, build, tick=nothing)


def obtain_ticking(target, ticked):
    def build(stream):
        raise AssertionError("the other process was to build")

    obtain(target, build, tick=ticked.set)


def test_of_two_processes_at_once_one_builds_and_the_other_waits(target):
    may_go_on, started, ticked, builds = SPAWN.Event(), SPAWN.Event(), SPAWN.Event(), SPAWN.Value("i", 0)
    first = SPAWN.Process(target=build_slowly, args=(target, may_go_on, started, builds))
    first.start()
    assert started.wait(30)

    second = SPAWN.Process(target=obtain_ticking, args=(target, ticked))
    second.start()
    assert ticked.wait(30)
    may_go_on.set()
    first.join(30)
    second.join(30)

    assert (first.exitcode, second.exitcode, builds.value) == (0, 0, 1)


def test_a_killed_builder_gives_the_lock_back(target, builder):
    may_go_on, started, builds = SPAWN.Event(), SPAWN.Event(), SPAWN.Value("i", 0)
    first = SPAWN.Process(target=build_slowly, args=(target, may_go_on, started, builds))
    first.start()
    assert started.wait(30)
    os.kill(first.pid, signal.SIGKILL)
    first.join(30)

    assert obtain(target, builder, tick=nothing).read_bytes() == b"content"
