from __future__ import annotations

import numpy as np
import pytest

from scoring.contracts import Dtype, Task

CONVOLUTION = "self.net = torch.nn.Conv2d(3, 3, 3)"


def test_each_sample_gets_its_own_row_in_order(model):
    child = model("x.mean((2, 3))")

    ended = child.run(Task.PREDICT)

    expected = (child.pixels.astype(np.float64) / 255).mean((2, 3))
    assert ended.reply == {"outcome": "ok", "rows": 5}
    assert ended.exit_code == 0
    np.testing.assert_allclose(ended.rows, expected, rtol=1e-5)


def test_samples_are_asked_again_at_the_end_in_batches_of_another_size(model):
    child = model("torch.stack([x.mean((1, 2, 3)), *[torch.full((len(x),), float(len(x)))] * 2], 1)")

    ended = child.run(Task.PREDICT, batch_size=2, again=(4, 0, 3, 1), again_batch=3)

    order = [0, 1, 2, 3, 4, 4, 0, 3, 1]
    assert ended.reply == {"outcome": "ok", "rows": 9}
    np.testing.assert_allclose(ended.rows[:, 0], (child.pixels / 255).mean((1, 2, 3))[order], rtol=1e-5)
    assert ended.rows[:, 1].tolist() == [2, 2, 2, 2, 1, 3, 3, 3, 1]


def test_floats_span_the_range_of_the_contract(model):
    child = model("torch.stack([x.flatten(1).min(1)[0], x.flatten(1).max(1)[0], x[:, 0, 0, 0]], 1)")
    child.pixels[:, 1, 1, 1:3] = (0, 255)

    ended = child.run(Task.PREDICT, low=-1.0, high=3.0)

    first = child.pixels[:, 0, 0, 0] / 255 * 4 - 1
    expected = np.stack([np.full(5, -1.0), np.full(5, 3.0), first], 1)
    np.testing.assert_allclose(ended.rows, expected, rtol=1e-5, atol=1e-6)


def test_uint8_contracts_pass_raw_values(model):
    child = model("x[:, :, 4, 4].float() * (1 if x.dtype == torch.uint8 else float('nan'))")

    ended = child.run(Task.PREDICT, dtype=Dtype.UINT8)

    np.testing.assert_array_equal(ended.rows, child.pixels[:, :, 4, 4])


@pytest.mark.parametrize("forward", ["torch.randn(len(x), 3)", "self.net(torch.randn_like(x)).mean((2, 3))"])
def test_random_models_repeat_byte_for_byte(model, forward):
    child = model(forward, init=CONVOLUTION)

    first, second = child.run(Task.PREDICT), child.run(Task.PREDICT)

    assert len(first.outputs) == 5 * 3 * 4
    assert first.outputs == second.outputs


def test_another_seed_draws_other_numbers(model):
    child = model("torch.randn(len(x), 3)")

    one, other = child.run(Task.PREDICT, seed=1), child.run(Task.PREDICT, seed=2)

    assert (one.exit_code, other.exit_code) == (0, 0)
    assert not np.array_equal(one.rows, other.rows)


def test_a_model_that_views_feature_maps_is_run_contiguous(model):
    child = model(
        "self.net(x).view(len(x), 3, -1).mean(2)",
        init="self.net = torch.nn.Conv2d(3, 3, 1, bias=False); torch.nn.init.ones_(self.net.weight)",
    )

    ended = child.run(Task.PREDICT)

    total = (child.pixels.astype(np.float64) / 255).mean((2, 3)).sum(1)
    np.testing.assert_allclose(ended.rows, np.repeat(total[:, None], 3, 1), rtol=1e-4)


def test_trying_memory_formats_leaves_no_mark_on_the_model(model):
    child = model(
        "(self.seen.add_(1) if True else 0) * torch.ones(len(x), 3)",
        init=CONVOLUTION + "; self.register_buffer('seen', torch.zeros(1))",
    )

    ended = child.run(Task.PREDICT)

    np.testing.assert_array_equal(ended.rows[:, 0], [1, 1, 2, 2, 3])


def test_a_model_may_take_gradients_of_its_input(model):
    head = (
        "def slope(x):\n"
        "    with torch.enable_grad():\n"
        "        x = x.clone().requires_grad_()\n"
        "        return torch.autograd.grad((x ** 2).sum(), x)[0]\n"
    )
    child = model("slope(x)[:, :, 0, 0]", head=head)

    ended = child.run(Task.PREDICT)

    np.testing.assert_allclose(ended.rows, child.pixels[:, :, 0, 0] / 255 * 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("forward", "outcome", "facts"),
    [
        (
            "torch.zeros(len(x), 4)",
            "wrong_output_shape",
            {"found": "(2, 4)", "batch": 2, "expected": "(2, 3)"},
        ),
        ("torch.full((len(x), 3), float('nan'))", "not_finite", {"found": 6, "total": 6}),
        ("torch.zeros(len(x), 3).long()", "wrong_output_kind", {"found": "a tensor of torch.int64"}),
        (
            "(_ for _ in ()).throw(KeyError('pixel 17 is red'))",
            "crashed",
            {"why": "KeyError"},
        ),
        ("torch.zeros(10**14)", "out_of_memory", {}),
        ("__import__('os').fork()", "process_refused", {}),
        ("__import__('subprocess').run(['true'])", "process_refused", {}),
        ("__import__('os').system('true')", "process_refused", {}),
        (
            "list(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), num_workers=1))",
            "process_refused",
            {},
        ),
        ("__import__('multiprocessing').get_context('spawn').Process().start()", "process_refused", {}),
        ("(_ for _ in ()).throw(OSError(30, 'Read-only file system'))", "read_only_folder", {}),
        ("(_ for _ in ()).throw(__import__('socket').gaierror(-3, 'no'))", "no_network", {}),
        (
            "(_ for _ in ()).throw(__import__('urllib.error').error.URLError(__import__('socket').gaierror(-3)))",
            "no_network",
            {},
        ),
    ],
)
def test_outputs_that_break_the_contract_are_named_with_numbers(model, forward, outcome, facts):
    ended = model(forward).run(Task.PREDICT)

    assert ended.reply == {"outcome": outcome, "facts": facts}
    assert ended.exit_code == 1


def test_a_library_that_can_do_without_a_process_gets_an_ordinary_error(model):
    head = """
import subprocess
try:
    subprocess.run(["true"])
except OSError as error:
    print(error)
"""

    ended = model("x.mean((2, 3))", head=head).run(Task.PREDICT)

    assert ended.reply == {"outcome": "ok", "rows": 5}
    assert "may not start processes" in ended.log


def test_where_the_track_allows_it_processes_start(model):
    forward = "x.mean((2, 3)) + __import__('subprocess').run(['true']).returncode"

    ended = model(forward).run(Task.PREDICT, may_start_processes=True)

    assert ended.reply == {"outcome": "ok", "rows": 5}


def test_a_model_that_ends_the_process_leaves_only_word_that_it_started(model):
    ended = model("__import__('os')._exit(0)").run(Task.PREDICT)

    assert (ended.entry_began, ended.reply) == (True, None)


def test_printing_does_not_reach_the_reply(model):
    ended = model("x.mean((2, 3))", head='print(\'{"outcome": "ok", "rows": 9}\')').run(Task.PREDICT)

    assert ended.reply == {"outcome": "ok", "rows": 5}


def test_samples_that_do_not_fill_the_batches_are_all_predicted(model):
    ended = model("x.mean((2, 3))").run(Task.PREDICT, batch_size=64)

    assert len(ended.rows) == 5


def test_resident_memory_does_not_grow_with_the_dataset(model):
    head = (
        "def resident_mb():\n"
        "    with open('/proc/self/status') as status:\n"
        "        kilobytes = next(line.split()[1] for line in status if line.startswith('VmRSS'))\n"
        "    return float(kilobytes) / 1024\n"
    )
    child = model("torch.full((len(x), 3), resident_mb())", head=head)
    child.pixels = np.ones((800, 3, 224, 224), np.uint8)

    ended = child.run(Task.PREDICT, batch_size=8)

    assert ended.rows[-1, 0] - ended.rows[0, 0] < child.pixels.nbytes / 2**20 / 3
