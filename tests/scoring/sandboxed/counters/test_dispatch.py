"""Expected values are worked out from shapes by the textbook formula of each operator."""

from __future__ import annotations

import math
import subprocess
import sys
import threading

import pytest
import torch
import torch.nn.functional as functional

from scoring.contracts import FREE_SHARE, FREE_VALUES_A_SAMPLE
from scoring.sandboxed.counters.dispatch import MacCounter, count
from scoring.sandboxed.counters.formulas import FORMULAS

B, L, D, H = 2, 7, 12, 3


def x(*shape: int) -> torch.Tensor:
    return torch.linspace(-1, 1, math.prod(shape)).reshape(shape)


def z(*shape: int) -> torch.Tensor:
    return torch.complex(x(*shape), x(*shape))


def m(side: int) -> torch.Tensor:
    """Return a symmetric positive matrix."""
    return torch.eye(side) * side + 0.5


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
        pytest.param(lambda: z(3, 4) @ z(4, 5), 4 * 60, id="complex mm"),
        pytest.param(lambda: z(B, 3, 4) @ z(B, 4, 5), 4 * B * 60, id="complex bmm"),
        pytest.param(lambda: torch.addmm(z(5), z(3, 4), z(4, 5)), 4 * 60, id="complex addmm"),
        pytest.param(lambda: z(3, 4) @ z(4), 4 * 12, id="complex mv"),
        pytest.param(lambda: torch.einsum("ij,jk->ik", z(3, 4), z(4, 5)), 4 * 60, id="complex einsum"),
        pytest.param(lambda: torch.outer(z(9), x(8)), 2 * 72, id="outer of complex and real"),
        pytest.param(lambda: functional.linear(z(3, 4), z(5, 4)), 4 * 60, id="complex linear"),
        pytest.param(
            # Three real convolutions are what torch runs for a complex one.
            lambda: functional.conv1d(z(B, 4, 9), z(6, 4, 3)),
            3 * B * 6 * 7 * 12,
            id="complex conv",
        ),
        pytest.param(lambda: torch.linalg.inv(m(6)), 6**3, id="inverse"),
        pytest.param(lambda: torch.linalg.inv(m(6).to(torch.complex64)), 4 * 6**3, id="complex inverse"),
        pytest.param(lambda: torch.linalg.inv(m(6).repeat(5, 1, 1)), 5 * 6**3, id="inverses"),
        pytest.param(lambda: torch.linalg.det(m(6)), 6**3 // 3, id="determinant"),
        pytest.param(lambda: torch.linalg.slogdet(m(6)), 6**3 // 3, id="logarithm of a determinant"),
        pytest.param(lambda: torch.linalg.lu_factor(m(6)), 6**3 // 3, id="lu"),
        pytest.param(lambda: torch.linalg.solve(m(6), x(6, 3)), 6**3 // 3 + 6 * 6 * 3, id="solve"),
        pytest.param(lambda: torch.linalg.solve(m(6), x(6)), 6**3 // 3 + 6 * 6, id="solve for a vector"),
        pytest.param(
            lambda: torch.linalg.solve_triangular(m(6), x(6, 3), upper=True), 54, id="solve triangular"
        ),
        pytest.param(lambda: torch.cholesky_solve(x(6, 3), m(6)), 6 * 6 * 3, id="cholesky solve"),
        pytest.param(lambda: torch.cholesky_inverse(m(6)), 6**3 // 3, id="cholesky inverse"),
        pytest.param(lambda: torch.linalg.cholesky(m(6)), 6**3 // 6, id="cholesky"),
        pytest.param(lambda: torch.linalg.qr(x(9, 6)), 2 * (9 * 36 - 72), id="qr"),
        pytest.param(lambda: torch.linalg.qr(x(9, 6), mode="r"), 9 * 36 - 72, id="r alone"),
        pytest.param(lambda: torch.linalg.eigh(m(6)), 4.5 * 6**3, id="symmetric eigenvalues"),
        pytest.param(lambda: torch.linalg.eig(m(6)), 12.5 * 6**3, id="eigenvalues"),
        pytest.param(
            lambda: torch.linalg.svd(x(9, 6), full_matrices=False), 3 * 9 * 36 + 10 * 6**3, id="svd"
        ),
        pytest.param(lambda: torch.linalg.svd(x(9, 6)), 2 * 81 * 6 + 11 * 6**3, id="svd with all vectors"),
        pytest.param(
            lambda: torch.linalg.pinv(x(9, 6)), 3 * 9 * 36 + 10 * 6**3 + 9 * 36, id="pseudo-inverse"
        ),
        pytest.param(
            lambda: torch.linalg.lstsq(x(9, 6), x(9, 2)),
            3 * 9 * 36 + 10 * 6**3 + 9 * 36 + 9 * 6 * 2,
            id="least squares",
        ),
        # exp(A) with |A| = 8 halves A three times, until its norm is at most 1.09.
        pytest.param(lambda: torch.linalg.matrix_exp(torch.eye(6) * 8), 8 * 6**3, id="exponential"),
        pytest.param(lambda: torch.linalg.matrix_power(m(6), 4), 2 * 6**3, id="power"),
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
    counter = count(lambda: torch.ops.prims.add(x(4), x(4)))

    assert counter.macs == 0
    assert counter.uncounted == {"prims::add"}


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


@pytest.mark.parametrize(
    ("work", "macs"),
    [
        pytest.param(lambda: x(3, 4) @ x(4, 5), 60, id="matmul"),
        pytest.param(lambda: functional.linear(x(3, 4), x(5, 4)), 60, id="linear"),
        pytest.param(lambda: functional.conv1d(x(B, 4, 9), x(6, 4, 3)), B * 6 * 7 * 12, id="conv"),
        pytest.param(lambda: torch.einsum("ij,jk->ik", x(3, 4), x(4, 5)), 60, id="einsum"),
        pytest.param(lambda: _lstm(1, both_ways=False), L * B * 20 * (D + 5), id="lstm"),
        pytest.param(lambda: _attention(need_weights=False), PROJECTIONS + SCORES, id="attention"),
    ],
)
def test_inference_mode_hides_nothing(work, macs):
    def inside() -> None:
        with torch.inference_mode():
            work()

    counter = count(inside)

    assert (counter.macs, counter.uncounted) == (macs, set())


def test_work_below_autograd_is_counted():
    def inside() -> None:
        with torch._C._AutoDispatchBelowAutograd():
            x(3, 4) @ x(4, 5)

    assert count(inside).macs == 60


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda: torch.func.vmap(lambda a: a @ x(4, 5))(x(B, 3, 4)), id="vmap"),
        pytest.param(lambda: torch.func.functionalize(lambda a: a @ x(4, 5))(x(6, 4)), id="functionalize"),
    ],
)
def test_transforms_of_functions_hide_nothing(work):
    assert count(work).macs == 6 * 4 * 5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", [torch.qint8, torch.float16])
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
def test_quantised_recurrent_layers_count_as_the_ones_they_were_made_of(kind, dtype):
    layers = torch.nn.Sequential(kind(D, 5, num_layers=2, bidirectional=True))
    quantised = torch.ao.quantization.quantize_dynamic(layers, {kind}, dtype=dtype)

    counter = count(lambda: quantised(x(L, B, D)))

    assert type(quantised[0]) is not kind
    assert counter.uncounted == set()
    assert counter.macs == count(lambda: layers(x(L, B, D))).macs


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [torch.nn.LSTMCell, torch.nn.GRUCell, torch.nn.RNNCell])
def test_quantised_cells_count_as_the_ones_they_were_made_of(kind):
    cell = torch.nn.Sequential(kind(D, 5))
    quantised = torch.ao.quantization.quantize_dynamic(cell, {kind})

    counter = count(lambda: quantised(x(B, D)))

    assert type(quantised[0]) is not kind
    assert counter.uncounted == set()
    assert counter.macs == count(lambda: cell(x(B, D))).macs


ROWS, COLUMNS = 2**10, 2**12
PAIRS = ROWS * COLUMNS


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda left, right: (left * right).sum(0), id="products summed"),
        pytest.param(lambda left, right: left.mul_(right).sum(0), id="in place"),
        pytest.param(lambda left, right: torch.addcmul(left, left, right).sum(0), id="addcmul"),
        pytest.param(lambda left, right: torch.lerp(left, right, left).sum(0), id="lerp"),
        pytest.param(lambda left, right: torch.stack([left, right]).prod(0).sum(0), id="products of pairs"),
        pytest.param(lambda left, right: (left + right).square().sum(0), id="squares of sums"),
        pytest.param(lambda left, right: torch.linalg.vector_norm(left + right, dim=0), id="norms of sums"),
        pytest.param(lambda left, right: torch.logsumexp(left + right, 0), id="sums of logarithms"),
        pytest.param(
            lambda left, right: functional.batch_norm(left, right[0] * 0, right[0], right[0]),
            id="scaling norm",
        ),
        pytest.param(lambda left, right: torch._foreach_mul([left], [right]), id="lists"),
        pytest.param(lambda left, right: torch.polar(left, right).real.sum(0), id="radius and angle"),
        pytest.param(
            lambda left, right: left.index_add_(0, torch.arange(ROWS), right), id="sums at given places"
        ),
        pytest.param(
            lambda left, right: left.scatter_(
                0, torch.zeros_like(right, dtype=torch.long), right, reduce="multiply"
            ),
            id="products at given places",
            marks=pytest.mark.filterwarnings("ignore:The reduce argument"),
        ),
    ],
)
def test_products_of_copies_count_beyond_what_is_free(work):
    """As large as the matrix product whose place they take, they are no work on each value any more."""
    left, right = torch.ones(ROWS, 1).repeat(1, COLUMNS), torch.ones(ROWS, COLUMNS)

    counter = count(lambda: work(left, right))

    assert counter.products == 0
    assert counter.macs >= PAIRS - FREE_VALUES_A_SAMPLE


def test_copies_themselves_are_free():
    rows = torch.ones(ROWS, 1)

    counter = count(lambda: torch.cat([rows.repeat(1, COLUMNS), rows.expand(ROWS, COLUMNS).clone()]).T[1:])

    assert (counter.products, counter.values) == (0, 0)


def test_work_on_each_value_is_free_up_to_a_share_of_the_products():
    side = 256

    def work(times: int) -> None:
        product = torch.ones(4 * side, side) @ torch.ones(side, 8 * side)
        for _ in range(times):
            product.relu_()

    products, values = 32 * side**3, 32 * side**2

    assert count(lambda: work(side // 4)).macs == products
    assert count(lambda: work(side // 4 + 1)).macs == products + values
    assert products * FREE_SHARE == values * (side // 4)


def test_each_sample_of_a_batch_has_its_free_values():
    batch = torch.ones(3, FREE_VALUES_A_SAMPLE)

    assert count(batch.relu, samples=3).macs == 0
    assert count(batch.relu, samples=2).macs == FREE_VALUES_A_SAMPLE


SWITCHED_OFF = """
import torch
from torch.utils._python_dispatch import _disable_current_modes
from scoring.sandboxed.counters.dispatch import count, name_ways_around

name_ways_around()
import torch.utils._python_dispatch as later

def disabled():
    with torch._C._DisableTorchDispatch():
        torch.ones(3, 4) @ torch.ones(4, 5)

def excluded():
    with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.Python)):
        torch.ones(3, 4) @ torch.ones(4, 5)

def without_modes():
    with later._disable_current_modes():
        torch.ones(3, 4) @ torch.ones(4, 5)

def below():
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)
    torch.ops.aten.mm.default.redispatch(keys, torch.ones(3, 4), torch.ones(4, 5))

disabled()
print(*(sorted(count(work).uncounted) for work in (disabled, excluded, without_modes, below)))
"""


def test_switches_that_hide_products_are_named_while_counting():
    """In a process of its own: they stay watched."""
    ended = subprocess.run([sys.executable, "-c", SWITCHED_OFF], capture_output=True, text=True)

    assert ended.stdout.split() == [
        "['torch._DisableTorchDispatch']",
        "['torch._ExcludeDispatchKeyGuard']",
        "['torch._disable_current_modes']",
        "['torch.redispatch']",
    ], ended.stderr
