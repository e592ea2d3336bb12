"""Values are counted by what they hold: worked out from shapes here."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from scoring.sandboxed.counters.left_alive import LeftAlive
from scoring.sandboxed.counters.parameters import FREE_VALUES, count_parameters

NOTHING = LeftAlive([], 0)
MANY = FREE_VALUES + 1


def holding(*buffers: torch.Tensor) -> nn.Module:
    module = nn.Module()
    for place, buffer in enumerate(buffers):
        module.register_buffer(f"buffer{place}", buffer)
    return module


def total(*buffers: torch.Tensor) -> int:
    return count_parameters(holding(*buffers), NOTHING).total


def indices(length: int, start: int = 0) -> torch.Tensor:
    return torch.arange(start, start + length)


def test_few_indices_are_free():
    assert total(indices(FREE_VALUES)) == 0


def test_many_indices_count():
    assert total(indices(MANY)) == MANY


def test_equal_tables_count_once():
    assert total(indices(MANY), indices(MANY)) == MANY


def test_equal_tables_do_not_add_up_to_many():
    assert total(indices(FREE_VALUES), indices(FREE_VALUES)) == 0


def test_different_tables_add_up():
    assert total(indices(FREE_VALUES), indices(FREE_VALUES, start=1)) == 2 * FREE_VALUES


@pytest.mark.parametrize("large", [2**31, -(2**31) - 1])
def test_integers_that_need_eight_bytes_count_twice(large: int):
    wide = indices(MANY)
    wide[0] = large

    assert total(wide) == 2 * MANY


@pytest.mark.parametrize("small", [2**31 - 1, -(2**31)])
def test_integers_that_fit_into_four_bytes_count_once(small: int):
    wide = indices(MANY)
    wide[0] = small

    assert total(wide) == MANY


def test_what_a_view_does_not_show_counts_by_what_it_is():
    wide = indices(MANY)
    wide[0] = 2**40

    assert total(wide[1:]) == 2 * MANY


def test_equal_weights_that_are_floats_count_each():
    assert total(torch.ones(10), torch.ones(10)) == 20


def test_wide_floats_count_twice():
    assert total(torch.ones(10, dtype=torch.float64)) == 20


def test_equal_arrays_that_are_registered_nowhere_count_once():
    held = LeftAlive([torch.ones(MANY), torch.ones(MANY)], 0)

    assert count_parameters(nn.Module(), held).total == MANY
