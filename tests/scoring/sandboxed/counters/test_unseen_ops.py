"""Operators that no counter sees raise, by whatever way they are called."""

import subprocess
import sys

import torch

from scoring.sandboxed.counters.unseen_ops import UNSEEN

PROGRAM = """
import torch
from scoring.sandboxed.counters.unseen_ops import refuse_unseen

script = torch.jit.CompilationUnit(
    "def run(x, packed, bias):\\n    return torch.fbgemm_linear_fp16_weight(x, packed, bias)\\n"
)
packed, x, bias = torch.fbgemm_pack_gemm_matrix_fp16(torch.ones(5, 4)), torch.ones(3, 4), torch.ones(5)
calls = (
    torch.fbgemm_linear_fp16_weight_fp32_activation,
    torch.ops.aten.fbgemm_linear_fp16_weight,
    script.run,
)

def ends(call):
    try:
        return str(tuple(call(x, packed, bias).shape))
    except RuntimeError as error:
        return "refused" if "cannot be counted" in str(error) else str(error)

print(*map(ends, calls), sep="|")
refuse_unseen()
refuse_unseen()
print(*map(ends, calls), sep="|")
"""


def test_products_out_of_sight_are_refused() -> None:
    """In a process of its own: what is refused stays refused."""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True)

    assert ended.stdout.splitlines() == ["(3, 5)|(3, 5)|(3, 5)", "refused|refused|refused"], ended.stderr


def test_the_table_names_operators_that_exist() -> None:
    assert {f"aten::{name}" for name in UNSEEN} <= set(torch._C._dispatch_get_all_op_names())
