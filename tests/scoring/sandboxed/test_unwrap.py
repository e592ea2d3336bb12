"""Wrappers come off; answers stay."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from scoring.sandboxed.unwrap import unwrapped


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).eval()


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.optim.swa_utils.AveragedModel])
def test_a_wrapped_module_comes_out(wrap):
    wrapped = wrap(_net())

    assert type(unwrapped(wrapped)) is nn.Sequential


def test_wrappers_of_wrappers_come_off():
    net = _net()

    assert unwrapped(nn.DataParallel(nn.DataParallel(net))) is net


def test_a_wrapped_part_comes_out():
    net = _net()
    part = net[0]
    net[0] = nn.DataParallel(part)

    assert unwrapped(net)[0] is part


def test_a_subclass_that_adds_work_stays():
    class Noisy(nn.DataParallel):
        def forward(self, x):
            return super().forward(x) @ torch.ones(3, 3)

    wrapped = Noisy(_net())

    assert unwrapped(wrapped) is wrapped


def test_a_module_around_itself_comes_to_an_end():
    wrapped = nn.DataParallel(_net())
    wrapped._modules["module"] = wrapped

    assert unwrapped(wrapped) is wrapped


@pytest.mark.parametrize(
    "parametrise", [parametrizations.weight_norm, parametrizations.spectral_norm, parametrizations.orthogonal]
)
def test_parametrised_weights_become_plain_ones_of_the_same_values(parametrise):
    net = _net()
    parametrise(net[2])
    x = torch.rand(2, 4)
    expected = net.eval()(x)

    found = unwrapped(net)

    assert not parametrize.is_parametrized(found[2])
    assert [name for name, _ in found.named_parameters()] == ["0.weight", "0.bias", "2.bias", "2.weight"]
    torch.testing.assert_close(found(x), expected, rtol=0, atol=0)


def test_a_parametrisation_that_raises_stays():
    class Broken(nn.Module):
        broken = False

        def forward(self, x):
            if self.broken:
                raise ValueError("no")
            return x

    net = _net()
    parametrisation = Broken()
    parametrize.register_parametrization(net[0], "weight", parametrisation)
    parametrisation.broken = True

    assert parametrize.is_parametrized(unwrapped(net)[0])


PROGRAM = """
import torch
from torch import nn
from scoring.sandboxed.unwrap import unwrapped

def refuse(graph, inputs):
    raise SystemExit("compiled")

net = nn.Sequential(nn.Linear(4, 5))
whole, part = torch.compile(net, backend=refuse), nn.Sequential(torch.compile(nn.Linear(4, 5), backend=refuse))
inside = nn.Sequential(nn.Linear(4, 5))
inside[0].compile(backend=refuse)
for each in (whole, part, inside):
    print(type(unwrapped(each)).__name__, tuple(unwrapped(each)(torch.ones(2, 4)).shape), sep="")
"""


def test_no_compiler_runs_for_a_compiled_module():
    """In a process of its own: importing torch's compiler changes what later tests measure."""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True)

    assert ended.stdout.splitlines() == ["Sequential(2, 5)"] * 3, ended.stderr
