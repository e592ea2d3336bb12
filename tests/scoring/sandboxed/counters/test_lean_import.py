"""What the counters bring into the entry's process, and what they leave to the entry."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from scoring.sandboxed.counters.lean_import import absent


def test_an_absent_package_cannot_be_imported():
    with absent("json"), pytest.raises(ImportError):
        import json.decoder  # noqa: F401


def test_a_package_comes_back_as_it_was():
    with absent("json"):
        pass

    assert sys.modules["json"] is json


def test_a_package_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), absent("json"):
        raise ZeroDivisionError

    assert sys.modules["json"] is json


def test_a_package_that_was_not_loaded_is_not_loaded_after():
    with absent("a_package_of_nobody"):
        pass

    assert "a_package_of_nobody" not in sys.modules


def test_the_counters_import_neither_torchvision_nor_timm_nor_compilers():
    program = (
        "import sys, scoring.sandboxed.counters.macs as macs; macs.prepare_counters();"
        "print(*({'torchvision', 'timm', 'torch._dynamo', 'sympy', 'redis'} & set(sys.modules)))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (0, "\n"), ended.stderr
