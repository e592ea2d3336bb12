"""Weights are found in whatever Python can keep them in; each case holds as many values as the others."""

from __future__ import annotations

import array
import gc
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from scoring.sandboxed.counters import left_alive
from scoring.sandboxed.counters.left_alive import LeftAlive, unregistered_arrays
from scoring.sandboxed.counters.parameters import FREE_VALUES, count_parameters

VALUES = 300_000
FEW = 20_000


@pytest.fixture(autouse=True)
def _only_what_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide from the walk the million objects of pytest and of other tests."""
    monkeypatch.setattr(left_alive, "_thaw", lambda: None)
    gc.freeze()


@pytest.mark.parametrize(
    ("make", "values"),
    [
        pytest.param(lambda: bytes(VALUES), VALUES, id="bytes"),
        pytest.param(lambda: bytearray(VALUES), VALUES, id="bytearray"),
        pytest.param(lambda: {"kept": [bytes(VALUES // 100) for _ in range(100)]}, VALUES, id="pieces"),
        pytest.param(lambda: "A" * VALUES, VALUES * 3 // 4, id="text"),
        pytest.param(lambda: [each + 0.5 for each in range(VALUES)], VALUES, id="list of floats"),
        pytest.param(lambda: ((tuple(each + 0.5 for each in range(VALUES)),),), VALUES, id="nested tuples"),
        pytest.param(lambda: 1 << (8 * VALUES), VALUES, id="one integer"),
        pytest.param(lambda: [np.float32(each) for each in range(VALUES)], VALUES, id="numbers of numpy"),
    ],
)
def test_plain_values_are_found(make, values):
    """Within what the process itself makes and drops meanwhile."""
    held = [make()]

    with_it = unregistered_arrays([]).plain_values
    held.clear()

    assert abs(with_it - unregistered_arrays([]).plain_values - values) < FEW


def test_what_an_entry_has_frozen_is_found(monkeypatch):
    monkeypatch.undo()
    held = [np.ones(VALUES)]
    gc.freeze()

    found = [each for each in unregistered_arrays([]).arrays if each is held[0]]

    assert len(found) == 1


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: np.ones(VALUES, "float32"), id="array"),
        pytest.param(lambda: np.ones(VALUES, ">f4"), id="array of the other byte order"),
        pytest.param(lambda: np.ones(VALUES, bool), id="array of truth values"),
        pytest.param(lambda: np.full(VALUES // 8, b"abcdefgh"), id="array of texts"),
        pytest.param(lambda: np.array([each + 0.5 for each in range(VALUES)], dtype=object), id="objects"),
        pytest.param(lambda: array.array("f", [1.0] * VALUES), id="array of Python"),
        pytest.param(lambda: array.array("b", bytes(VALUES)), id="bytes in an array of Python"),
        pytest.param(lambda: torch.ones(VALUES), id="tensor"),
        pytest.param(lambda: torch.zeros(VALUES, dtype=torch.uint8).untyped_storage(), id="storage"),
    ],
)
def test_arrays_are_found(make):
    held = make()

    found = [each for each in unregistered_arrays([]).arrays if each is held]

    assert count_parameters(nn.Module(), LeftAlive(found, 0)).total == VALUES


def test_what_a_waiting_thread_holds_is_found():
    started, end = threading.Event(), threading.Event()

    def wait() -> None:
        weights = np.ones(VALUES, "float32")
        started.set()
        end.wait()
        weights.sum()

    thread = threading.Thread(target=wait)
    thread.start()
    started.wait()
    found = unregistered_arrays([]).arrays
    end.set()
    thread.join()

    assert any(isinstance(each, np.ndarray) and each.size == VALUES for each in found)


def test_what_a_paused_generator_holds_is_found():
    def generator():
        weights = np.ones(VALUES, "float32")
        yield
        weights.sum()

    paused = generator()
    next(paused)

    assert any(
        isinstance(each, np.ndarray) and each.size == VALUES for each in unregistered_arrays([]).arrays
    )


def test_a_tensor_without_values_which_an_export_leaves_behind_is_none():
    with FakeTensorMode():
        held = torch.zeros(VALUES)
    storage = held.untyped_storage()

    assert not [each for each in unregistered_arrays([]).arrays if each is held or each is storage]


def test_arrays_of_ours_are_left_out():
    ours = np.ones(VALUES, "float32")

    assert all(each is not ours for each in unregistered_arrays([ours]).arrays)


@pytest.mark.parametrize(("plain", "counted"), [(FREE_VALUES, 0), (FREE_VALUES + 1, FREE_VALUES + 1)])
def test_few_plain_values_are_free(plain, counted):
    assert count_parameters(nn.Module(), LeftAlive([], plain)).total == counted


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_packed_weights_count_as_the_ones_they_were_made_of(kind):
    layer = kind(40, 20)
    quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(layer), {kind})

    counted = count_parameters(quantised, LeftAlive([], 0))

    assert counted.total == sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.filterwarnings("ignore")
def test_packed_weights_that_are_registered_nowhere_are_found():
    packed = torch.ops.quantized.linear_prepack(
        torch.quantize_per_tensor(torch.ones(600, VALUES // 600), 0.1, 0, torch.qint8), None
    )

    found = [each for each in unregistered_arrays([]).arrays if each is packed]

    assert count_parameters(nn.Module(), LeftAlive(found, 0)).total == VALUES
