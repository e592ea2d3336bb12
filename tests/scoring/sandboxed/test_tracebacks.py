"""The log of a crash begins at the entry's line and names no folder of the machine."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from scoring.contracts import InputContract
from scoring.sandboxed.tracebacks import print_for_entrant


@pytest.fixture
def entry(tmp_path: Path) -> Callable[[str], ModuleType]:
    """Return a function that imports a model.py of these lines, as a loader does."""

    def load(source: str) -> ModuleType:
        path = tmp_path / "model.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("model", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def told_of(act: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # whichever the entry raises
        act()
    trace = raised.tb
    while (
        trace is not None and trace.tb_frame.f_code.co_filename == __file__
    ):  # the test stands for nothing here
        trace = trace.tb_next
    print_for_entrant(raised.value.with_traceback(trace))
    return capsys.readouterr().err.splitlines()


def test_a_traceback_begins_at_the_entrys_line_and_keeps_what_it_called(entry, capsys, tmp_path) -> None:
    model = entry("import json\ndef forward(text):\n    return json.loads(text)\n")

    told = told_of(lambda: model.forward("{"), capsys)

    assert told[1:3] == ['  File "model.py", line 3, in forward', "    return json.loads(text)"]
    assert [line for line in told if line.startswith("  File")][1].startswith('  File "json/__init__.py"')
    assert told[-1].startswith("json.decoder.JSONDecodeError")
    assert str(tmp_path) not in "\n".join(told)
    assert str(Path(json.__file__).parent) not in "\n".join(told)


def test_each_exception_of_a_chain_begins_at_the_entry(entry, capsys) -> None:
    model = entry(
        "def forward():\n    try:\n        {}['a']\n    except KeyError as e:\n        raise ValueError('b') from e\n"
    )

    told = told_of(model.forward, capsys)

    assert [line for line in told if line.startswith("  File")] == [
        '  File "model.py", line 3, in forward',
        '  File "model.py", line 5, in forward',
    ]


def test_a_module_that_cannot_be_parsed_is_named_without_its_folder(entry, capsys) -> None:
    told = told_of(lambda: entry("def forward(:\n"), capsys)

    assert '  File "model.py", line 1' in told


def test_what_podium_itself_raised_shows_no_line_of_podiums(capsys) -> None:
    told = told_of(lambda: InputContract(shape=(None, 3)).sides(), capsys)

    assert told == ["ValueError: the package has not settled the shape (None, 3)"]
