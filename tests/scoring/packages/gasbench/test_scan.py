"""What GASBench is known to block: named by line, once each, and never a refusal."""

import ast

import pytest

from scoring.packages.gasbench.scan import CALLS, MODULES, PARTS, blocked


def told(source: str) -> list[str]:
    return blocked(ast.parse(source))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_blocked_module_is_named_however_it_is_imported(module: str) -> None:
    for source in (
        f"import {module}",
        f"import {module}.part as p",
        f"from {module} import x",
        f"from {module}.a import b",
    ):
        assert told(source) == [f"line 1 imports {module}"]


@pytest.mark.parametrize("call", sorted(CALLS))
def test_a_blocked_call_is_named(call: str) -> None:
    assert told(f"def f(x):\n    return {call}(x)") == [f"line 2 calls {call}"]


@pytest.mark.parametrize("part", PARTS)
def test_a_blocked_part_of_an_allowed_module_is_named(part: str) -> None:
    module, _, name = part.rpartition(".")

    assert told(f"import {part}") == [f"line 1 imports {part}"]
    assert told(f"from {module} import {name}") == [f"line 1 imports {part}"]
    assert told(f"from {part} import x") == [f"line 1 imports {part}"]
    assert told(f"\nx = {part}(y)") == [f"line 2 uses {part}"]


@pytest.mark.parametrize(
    "source",
    [
        "import torch, numpy as np, math",
        "from torch import nn",
        "from . import os",
        "from .os import path",
        "import ospray",
        "import torch.jitter",
        "re.compile('x')",
        "model.eval()",
        "torch.jit.save(x)",
        "x().jit.script",
        "a.torch.jit.script",
        "def os(): ...",
        "x = 'import os'",
        "a.b.c.d.e.f",
    ],
)
def test_what_only_looks_like_it_is_not_named(source: str) -> None:
    assert told(source) == []


def test_things_inside_functions_and_tries_are_named_in_the_order_of_their_lines_once() -> None:
    source = "try:\n    import torch\nexcept ImportError:\n    import sys\n"
    source += "def f():\n    import os\n    eval('1')\nimport os\n"

    assert told(source) == ["line 4 imports sys", "line 6 imports os", "line 7 calls eval"]


def test_a_long_list_is_cut() -> None:
    source = "\n".join(f"import {module}" for module in sorted(MODULES)[:12])

    assert told(source)[10:] == ["more"]


def test_attributes_in_a_row_cost_no_more_than_their_number() -> None:
    assert told("\n".join(["x" + ".y" * 500] * 500)) == []
