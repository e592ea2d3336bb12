"""The child's way from request to reply: which module does a task, and what is loaded before the entry."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from scoring.contracts import Task
from scoring.sandboxed.__main__ import TASKS, TaskModule
from tests.scoring.sandboxed.conftest import Child


def test_every_task_is_done_by_a_module() -> None:
    assert set(TASKS) | {Task.MEASURE, Task.CALIBRATE} == set(Task)


@pytest.mark.parametrize("module", TASKS.values())
def test_a_module_that_does_a_task_runs_as_the_child_calls_it(module: str) -> None:
    run = import_module(module).run

    assert list(inspect.signature(run).parameters) == list(inspect.signature(TaskModule.run).parameters)[1:]


@pytest.mark.parametrize(
    ("task", "broken"),
    [
        (Task.PREDICT, "scoring.sandboxed.loaders.cvpr_zip"),
        (Task.PREDICT, "scoring.sandboxed.tasks.predict"),
        (Task.MEASURE, "scoring.sandboxed.measures.torch_entry"),
        (Task.EXPORT, "scoring.sandboxed.tasks.export"),
        (Task.QUANTISE, "onnxruntime.quantization"),
    ],
)
def test_what_we_cannot_load_ends_the_child_before_the_entry_begins(
    child: Child, task: Task, broken: str
) -> None:
    child.write("model.py", "print('the entry began')")

    ended = child.run(task, broken=broken)

    assert (ended.exit_code, ended.entry_began, ended.reply) == (1, False, None)
    assert f"import of {broken} halted" in ended.log
    assert "the entry began" not in ended.log


def test_the_entry_begins_once_all_of_ours_is_loaded(child: Child) -> None:
    child.write("model.py", "import os; os._exit(9)")

    ended = child.run(Task.PREDICT)

    assert (ended.entry_began, ended.reply) == (True, None)
