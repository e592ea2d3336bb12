"""Expected values are worked out from shapes by the textbook formula of each operator."""

from __future__ import annotations

import math
import threading

import pytest
import torch
import torch.nn.functional as functional

from scoring.sandboxed.counters.dispatch import MacCounter, count
from scoring.sandboxed.counters.formulas import FORMULAS

B, L, D, H = 2, 7, 12, 3


def x(*shape: int) -> torch.Tensor:
    return torch.linspace(-1, 1, math.prod(shape)).reshape(shape)


def _lstm(layers: int, *, both_ways: bool) -> torch.Tensor:
    return torch.nn.LSTM(D, 5, num_layers=layers, bidirectional=both_ways)(x(L, B, D))[0]


def _attention(*, need_weights: bool) -> torch.Tensor:
    layer = torch.nn.MultiheadAttention(D, H, batch_first=True).eval()
    return layer(x(B, L, D), x(B, L, D), x(B, L, D), need_weights=need_weights)[0]


def _quantised_convolution(name: str) -> torch.Tensor:
    weight = torch.quantize_per_tensor(x(6, 4, 3, 3), 0.1, 0, torch.qint8)
    packed = torch.ops.quantized.conv2d_prepack(weight, None, [1, 1], [0, 0], [1, 1], 1)
    return getattr(torch.ops.quantized, name)(x(B, 4, 9, 9), packed)


PROJECTIONS, SCORES = B * 4 * L * D * D, B * 2 * L * L * D


@pytest.mark.parametrize(
    ("work", "macs"),
    [
        pytest.param(lambda: x(3, 4) @ x(4, 5), 3 * 4 * 5, id="mm"),
        pytest.param(lambda: x(B, 3, 4) @ x(B, 4, 5), B * 3 * 4 * 5, id="bmm"),
        pytest.param(lambda: torch.addmm(x(5), x(3, 4), x(4, 5)), 3 * 4 * 5, id="addmm"),
        pytest.param(lambda: torch.baddbmm(x(B, 3, 5), x(B, 3, 4), x(B, 4, 5)), B * 60, id="baddbmm"),
        pytest.param(lambda: torch.addbmm(x(3, 5), x(B, 3, 4), x(B, 4, 5)), B * 60, id="addbmm"),
        pytest.param(lambda: x(3, 4) @ x(4), 12, id="mv"),
        pytest.param(lambda: torch.addmv(x(3), x(3, 4), x(4)), 12, id="addmv"),
        pytest.param(lambda: torch.dot(x(9), x(9)), 9, id="dot"),
        pytest.param(lambda: torch.outer(x(9), x(8)), 72, id="outer"),
        pytest.param(lambda: torch.addr(x(9, 8), x(9), x(8)), 72, id="addr"),
        pytest.param(lambda: (x(3, 4, 1) * x(1, 4, 5)).sum(1), 60, id="multiply-then-sum"),
        pytest.param(
            lambda: (x(3, 4, 1).expand(3, 4, 5) * x(1, 4, 5)).sum(1), 60, id="expand-multiply-then-sum"
        ),
        pytest.param(lambda: x(B, 3, 4, 4) * x(B, 3, 1, 1), 0, id="scaling channels"),
        pytest.param(
            lambda: x(B, 3, 4, 4) * x(3, 1, 1).expand(B, 3, 4, 4), 0, id="scaling expanded channels"
        ),
        pytest.param(lambda: x(3, 4).to_sparse() * x(3, 4), 0, id="scaling sparse values"),
        pytest.param(lambda: torch.einsum("bij,bjk->bik", x(B, 3, 4), x(B, 4, 5)), B * 60, id="einsum"),
        pytest.param(lambda: functional.linear(x(B, L, D), x(5, D), x(5)), B * L * D * 5, id="linear"),
        pytest.param(lambda: functional.bilinear(x(B, 3), x(B, 4), x(5, 3, 4)), B * 60, id="bilinear"),
        pytest.param(lambda: functional.conv1d(x(B, 4, 9), x(6, 4, 3)), B * 6 * 7 * 12, id="conv1d"),
        pytest.param(
            lambda: functional.conv2d(x(B, 4, 9, 9), x(6, 4, 3, 3), stride=2), B * 6 * 16 * 36, id="conv2d"
        ),
        pytest.param(
            lambda: functional.conv2d(x(B, 4, 9, 9), x(4, 1, 3, 3), groups=4), B * 4 * 49 * 9, id="depthwise"
        ),
        pytest.param(
            lambda: functional.conv2d(x(B, 4, 9, 9), x(6, 4, 3, 3), dilation=2), B * 6 * 25 * 36, id="dilated"
        ),
        pytest.param(
            lambda: functional.conv3d(x(B, 4, 5, 5, 5), x(6, 4, 3, 3, 3)), B * 6 * 27 * 108, id="conv3d"
        ),
        pytest.param(
            lambda: functional.conv_transpose2d(x(B, 4, 5, 5), x(4, 6, 3, 3), stride=2),
            B * 4 * 25 * 6 * 9,
            id="transposed convolution",
        ),
        pytest.param(
            lambda: functional.scaled_dot_product_attention(x(B, H, L, D), x(B, H, 5, D), x(B, H, 5, D)),
            B * H * L * 5 * 2 * D,
            id="attention function",
        ),
        pytest.param(
            lambda: _attention(need_weights=True), PROJECTIONS + SCORES, id="attention with weights"
        ),
        pytest.param(lambda: _attention(need_weights=False), PROJECTIONS + SCORES, id="attention"),
        pytest.param(
            lambda: torch.nn.TransformerEncoderLayer(D, H, 20, batch_first=True).eval()(x(B, L, D)),
            PROJECTIONS + SCORES + B * L * 2 * D * 20,
            id="encoder layer",
        ),
        pytest.param(lambda: _lstm(1, both_ways=False), L * B * 20 * (D + 5), id="lstm"),
        pytest.param(
            lambda: _lstm(2, both_ways=True),
            2 * L * B * 20 * (D + 5) + 2 * L * B * 20 * (10 + 5),
            id="deep lstm",
        ),
        pytest.param(lambda: torch.nn.GRU(D, 5)(x(L, B, D))[0], L * B * 15 * (D + 5), id="gru"),
        pytest.param(lambda: torch.cdist(x(B, 3, 4), x(B, 5, 4), p=1.0), B * 60, id="cdist"),
        pytest.param(
            lambda: functional.embedding_bag(torch.tensor([[1, 2, 0]]), x(5, 4)), 12, id="embedding bag"
        ),
        pytest.param(lambda: torch.fft.fft(x(B, 8).to(torch.complex64)), B * 2 * 8 * 3, id="fft"),
        pytest.param(lambda: torch.fft.rfft(x(B, 8)), B * 8 * 3, id="rfft"),
        pytest.param(lambda: torch.fft.irfft(x(B, 5).to(torch.complex64), n=8), B * 8 * 3, id="irfft"),
        pytest.param(lambda: functional.relu(functional.layer_norm(x(B, L, D), (D,))) + 1, 0, id="free"),
        pytest.param(lambda: torch._foreach_mm([x(3, 4), x(2, 3)], [x(4, 5), x(3, 2)]), 60 + 12, id="lists"),
        pytest.param(
            lambda: torch.conv_tbc(x(9, B, 4), x(3, 4, 6), x(6)), 7 * B * 6 * 12, id="conv over time"
        ),
        pytest.param(
            lambda: torch.ops.quantized.linear_dynamic_fp16_unpacked_weight(x(3, 4), x(5, 4), x(5)),
            3 * 4 * 5,
            id="half-precision linear",
        ),
        pytest.param(
            lambda: _quantised_convolution("conv2d_dynamic"),
            B * 6 * 49 * 36,
            id="dynamic conv",
            marks=pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor"),
        ),
        pytest.param(
            lambda: torch.ops.mkldnn._convolution_transpose_pointwise(
                x(B, 4, 9, 9), x(4, 6, 3, 3), None, [0, 0], [0, 0], [1, 1], [1, 1], 1, "none", [], ""
            ),
            B * 4 * 81 * 54,
            id="fused transposed conv",
        ),
        pytest.param(lambda: functional.adaptive_avg_pool2d(x(B, 3, 8, 8), 2), 0, id="pooling"),
    ],
)
def test_macs_follow_from_shapes(work, macs):
    counter = count(work)

    assert counter.macs == macs
    assert counter.uncounted == set()


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_scripted_models_are_counted():
    traced = torch.jit.trace(torch.nn.Linear(4, 5), x(3, 4))

    counter = count(lambda: traced(x(3, 4)))

    assert counter.macs == 3 * 4 * 5


def test_gradients_taken_in_forward_are_counted():
    image, kernel = x(B, 4, 9, 9), x(6, 4, 3, 3)

    def work() -> None:
        with torch.enable_grad():
            source = image.clone().requires_grad_()
            torch.autograd.grad(functional.conv2d(source, kernel).sum(), source)

    assert count(work).macs == 2 * B * 6 * 49 * 36


def test_native_fused_layers_are_counted_where_torch_still_uses_them():
    layer = torch.nn.TransformerEncoderLayer(D, H, 20, batch_first=True).eval()
    with torch.no_grad(), MacCounter() as counter:
        layer(x(B, L, D))

    assert counter.macs == PROJECTIONS + SCORES + B * L * 2 * D * 20


def test_quantised_products_are_counted():
    args = (x(3, 4), None)
    out = x(3, 5)

    assert FORMULAS["quantized::linear_dynamic"](args, out) == 3 * 4 * 5


def test_operators_in_no_table_are_named():
    counter = count(lambda: torch.linalg.svdvals(x(4, 4)))

    assert counter.macs == 0
    assert counter.uncounted == {"aten::_linalg_svd"}


def test_an_operator_declared_as_free_by_the_entry_is_named():
    library = torch.library.Library("aten", "FRAGMENT")
    library.define("podium_test_cheap(Tensor x) -> Tensor", tags=(torch.Tag.pointwise,))
    library.impl("podium_test_cheap", lambda each: each @ each, "CPU")

    counter = count(lambda: torch.ops.aten.podium_test_cheap(x(4, 4)))

    assert counter.uncounted == {"aten::podium_test_cheap"}


def test_threads_that_are_not_watched_are_not_counted():
    """State the limit: watching is switched on by the child before an entry is loaded."""

    def work() -> None:
        thread = threading.Thread(target=lambda: x(3, 4) @ x(4, 5))
        thread.start()
        thread.join()

    assert count(work).macs == 0
