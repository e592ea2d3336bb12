"""Parts run side by side, in the order that they need; a failure is named and stops the others."""

from __future__ import annotations

import os
import sys

import pytest

from competition.demo.parts import Part, PartFailed, Parts

# Writes its process id, in one move, and stays.
ENDLESS = (
    "import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid'); time.sleep(3600)"
)
UNTIL_IT_IS_THERE = "import os, time\nwhile not os.path.exists('pid'): time.sleep(0.01)"


def part(name, program="", **more):
    return Part(name=name, command=(sys.executable, "-c", program), **more)


@pytest.fixture
def said():
    return []


@pytest.fixture
def start(tmp_path, said):
    def start(*parts):
        return Parts(parts, folder=tmp_path, environment={**os.environ, "GREETING": "hello"}, say=said.append)

    return start


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_part_runs_when_those_it_needs_have_ended(start, tmp_path):
    write = "from pathlib import Path; Path('made').write_text('whole')"
    read = "from pathlib import Path; Path('copy').write_text(Path('made').read_text())"

    with start(part("second", read, after=["first"]), part("first", write)) as parts:
        parts.wait_for("second")

    assert (tmp_path / "copy").read_text() == "whole"


def test_parts_that_need_nothing_of_each_other_run_at_the_same_time(start):
    with start(part("one", ENDLESS), part("two", ENDLESS), part("three", after=["one"])) as parts:
        assert parts.running == ("one", "two")
        assert parts.unfinished == ("one", "two", "three")


def test_what_a_part_needs_may_have_been_done_before(start, said):
    with start(part("second", "print('done')", after=["first"])) as parts:
        parts.wait_for("first", "second")

    assert said[0] == "done"


def test_lines_are_passed_on_and_each_end_is_counted(start, said):
    with start(
        part("one", "print('a', flush=True); print('b')"),
        part("two", "import sys; sys.stderr.write('c')", after=["one"]),
    ) as parts:
        parts.wait_for("one", "two")

    assert [line.partition(" in ")[0] for line in said] == [
        "a",
        "b",
        "[1/2] one: done",
        "c",
        "[2/2] two: done",
    ]


def test_a_part_has_an_environment_of_its_own(start, said):
    program = "import os; print(os.environ['GREETING'], os.environ.get('NAME'))"

    with start(
        part("with", program, environment={"NAME": "Ada"}), part("without", program, after=["with"])
    ) as parts:
        parts.wait_for("with", "without")

    assert [line for line in said if line.startswith("hello")] == ["hello Ada", "hello None"]


def test_a_failure_is_named_with_its_last_lines(start):
    program = "print('epoch 1', flush=True); raise SystemExit('no memory')"
    with (
        pytest.raises(PartFailed, match=r"“training” ended with exit code 1[^\n]*\n  epoch 1\n  no memory"),
        start(part("training", program)) as parts,
    ):
        parts.wait_for("training")


def test_a_failure_stops_the_others_and_begins_no_more(start, tmp_path):
    broken = f"{UNTIL_IT_IS_THERE}\nraise SystemExit(3)"
    more = "open('more', 'w')"
    with (
        pytest.raises(PartFailed, match="“broken” ended with exit code 3"),
        start(
            part("endless", ENDLESS), part("broken", broken), part("more", more, after=["endless"])
        ) as parts,
    ):
        parts.wait_for("more")

    assert not is_running(int((tmp_path / "pid").read_text()))
    assert not (tmp_path / "more").exists()


def test_what_does_not_end_when_asked_is_killed(start, tmp_path, monkeypatch):
    monkeypatch.setattr("competition.demo.parts.STOP_S", 0.1)
    deaf = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ENDLESS}"
    with start(part("deaf", deaf), part("seen", UNTIL_IT_IS_THERE)) as parts:
        parts.wait_for("seen")

    assert not is_running(int((tmp_path / "pid").read_text()))


def test_what_is_stopped_says_nothing_more(start, said):
    loud = f"import signal; signal.signal(signal.SIGTERM, lambda *_: exit('interrupted')); {ENDLESS}"
    with start(part("loud", loud), part("seen", UNTIL_IT_IS_THERE)) as parts:
        parts.wait_for("seen")

    assert "interrupted" not in said
