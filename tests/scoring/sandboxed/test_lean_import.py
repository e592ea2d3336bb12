"""What the counters bring into the entry's process, and what they leave to the entry."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scoring.sandboxed.lean_import import absent, hollow

ROOT = Path(__file__).parents[3]


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


def test_a_part_of_a_hollow_package_is_imported_without_the_rest():
    program = (
        "import sys; from scoring.sandboxed.lean_import import hollow\n"
        "with hollow('email'):\n    import email.charset\n"
        "print('email' in sys.modules, 'email.charset' in sys.modules)\n"
        "import email; print(email.message_from_string)"
    )

    ended = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, cwd=ROOT)

    assert ended.stdout.startswith("False True\n<function message_from_string"), ended.stderr


def test_a_hollow_module_that_was_loaded_comes_back():
    with hollow("json"):
        import json as empty

    assert not hasattr(empty, "loads")
    assert sys.modules["json"].loads("1") == 1


def test_the_counters_import_neither_torchvision_nor_timm_nor_compilers():
    program = (
        "import sys, scoring.sandboxed.counters.macs as macs; macs.prepare_counters();"
        "print(*({'torchvision', 'timm', 'torch._dynamo', 'sympy', 'redis'} & set(sys.modules)))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (0, "\n"), ended.stderr
