from __future__ import annotations

import re

import pytest

from scoring.contracts import Task

# Each test starts a child that imports torch and all counters: some three seconds.
pytestmark = pytest.mark.slow
LINEAR = "self.net = torch.nn.Linear(3 * 16 * 16, 3)"
MACS, VALUES = 3 * 16 * 16 * 3, 3 * 16 * 16 * 3 + 3
BIG = 2**19


def test_a_plain_model_is_counted_by_all(model):
    ended = model("self.net(x.flatten(1))", init=LINEAR).run(Task.MEASURE)

    assert ended.reply == {
        "outcome": "ok",
        "parameters": VALUES,
        "trainable_parameters": VALUES,
        "macs_by_counter": {"dispatch": MACS, "ptflops": MACS + 3, "fvcore": MACS},
        "uncounted_ops": [],
        "warnings": [],
        "not_captured": "",
    }


@pytest.mark.parametrize(
    "init",
    [
        f"self.kept = [torch.ones({BIG})]",
        f"self.kept = {{'w': __import__('numpy').ones({BIG}, 'float32')}}",
        f"self.kept = __import__('array').array('f', bytes(4 * {BIG}))",
        f"self.kept = torch.ones({BIG}).expand(7, {BIG})",
        f"self.register_buffer('kept', torch.ones({BIG}).view(torch.int32))",
    ],
)
def test_values_that_are_not_parameters_count_once(model, init):
    ended = model("x.mean((2, 3))", init=init).run(Task.MEASURE)

    assert BIG <= ended.reply["parameters"] < BIG + 5000
    assert [warning["code"] for warning in ended.reply["warnings"]] == ["no_trainable_parameters"]


def test_values_kept_in_a_library_count(model):
    """Forked children do not look into what had been loaded when they were forked."""
    init = f"torch.nn.kept = (__import__('numpy').ones({BIG}, 'float32'),)"

    ended = model("x.mean((2, 3))", init=init).run(Task.MEASURE, anew=True)

    assert BIG <= ended.reply["parameters"] < BIG + 5000


def test_a_checkpoint_still_held_is_not_counted_twice(model):
    child = model(
        "self.net(x.flatten(1))[:, :3]",
        init="self.net = torch.nn.Linear(768, 1000); self.kept = [self.net.weight.detach().clone()]",
    )

    ended = child.run(Task.MEASURE)

    assert ended.reply["parameters"] == 768 * 1000 + 1000


def test_replacing_the_counters_changes_no_count(model):
    head = (
        "import ptflops.pytorch_engine, fvcore.nn, torch.nn\n"
        "ptflops.pytorch_engine.get_flops_pytorch = lambda *a, **k: (0, 0)\n"
        "fvcore.nn.FlopCountAnalysis.__init__.__defaults__\n"
        "fvcore.nn.FlopCountAnalysis = None\n"
        "torch.nn.Module.named_parameters = lambda *a, **k: iter(())\n"
        "torch.nn.Module.named_buffers = lambda *a, **k: iter(())\n"
        "import scoring.sandboxed.counters.macs as macs\n"
        "macs.attempt = macs.dispatch = None\n"
    )

    ended = model("self.net(x.flatten(1))", init=LINEAR, head=head).run(Task.MEASURE)

    assert ended.reply["parameters"] == VALUES
    assert ended.reply["macs_by_counter"]["dispatch"] == MACS
    assert ended.reply["macs_by_counter"]["ptflops"] == MACS + 3


def test_work_in_another_thread_is_counted(model):
    head = (
        "import threading\n"
        "def elsewhere(work):\n"
        "    kept = []\n"
        "    thread = threading.Thread(target=lambda: kept.append(work()))\n"
        "    thread.start(); thread.join()\n"
        "    return kept[0]\n"
    )
    child = model("elsewhere(lambda: self.net(x.flatten(1)).detach())", init=LINEAR, head=head)

    ended = child.run(Task.MEASURE)

    assert ended.reply["macs_by_counter"]["dispatch"] == MACS


def test_operators_of_the_entrys_own_are_named(model):
    head = (
        "library = torch.library.Library('mine', 'DEF')\n"
        "library.define('work(Tensor x) -> Tensor')\n"
        "library.impl('work', lambda x: x.flatten(1) @ torch.ones(768, 3), 'CPU')\n"
    )

    ended = model("torch.ops.mine.work(x)", head=head).run(Task.MEASURE)

    assert ended.reply["uncounted_ops"] == ["mine::work"]


@pytest.mark.parametrize(
    ("forward", "outcome"),
    [
        ("x.mean((2, 3))[0]", "wrong_output_shape"),
        ("x.reshape(1, 3, 16, 16).mean((2, 3))", "crashed"),
        ("x.mean((2, 3))[:1]", "wrong_output_count"),
        ("x.mean((2, 3)) / 0", "not_finite"),
    ],
)
def test_the_probe_catches_models_that_handle_one_sample_only(model, forward, outcome):
    ended = model(forward).run(Task.MEASURE)

    assert ended.reply["outcome"] == outcome


def test_a_crash_in_measure_says_why_and_logs_the_traceback(model):
    ended = model("x.no_such_thing").run(Task.MEASURE)

    assert ended.reply["facts"]["why"] == "AttributeError: 'Tensor' object has no attribute 'no_such_thing'"
    first, second = ended.log[ended.log.index("Traceback") :].splitlines()[:2]
    assert first == "Traceback (most recent call last):"
    assert re.fullmatch(r'  File "model\.py", line \d+, in forward', second)


def test_calibration_times_known_work(child):
    ended = child.run(Task.CALIBRATE)

    assert ended.reply["macs"] == 8 * 56 * 56 * 64 * 64 * 9 + 8 * 256 * 512 * 512
    assert 0 < ended.reply["cpu_s"] < 2
