"""MACs of what LAPACK does to a matrix, as half of the published numbers of operations.

Sources: "LU", "inverse", "Cholesky", "QR", "triangular" from LAPACK Working Note 41, appendix C;
eigenvalues and singular values from Golub and Van Loan, Matrix Computations, sections 7.5, 8.3
and 8.6 (iterative methods: their estimates); the matrix exponential from Bader, Blanes and
Casas, "Computing the matrix exponential with an optimized Taylor polynomial approximation",
which is what torch does. Lower orders are left out. A batch counts each matrix; complex ones
count four times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch

from scoring.sandboxed.counters.products import Formula, real_products

# The largest norm for which the longest polynomial is exact in double precision; single reaches further.
_EXACT_NORM: Final = 1.09
_POLYNOMIAL_PRODUCTS: Final = 5
# Matrices whose norm is not finite are squared no more often than the largest float is halved.
_MOST_SQUARINGS: Final = 128


def factorisation(macs_of_one: Callable[[int, int], float]) -> Formula:
    """Count each matrix of the first argument by a formula of its rows and columns."""

    def macs(args: Sequence[Any], out: Any) -> int:
        return _each(args[0], macs_of_one)

    return macs


def _each(matrices: torch.Tensor, macs_of_one: Callable[[int, int], float]) -> int:
    rows, columns = int(matrices.shape[-2]), int(matrices.shape[-1])
    batch = math.prod(matrices.shape[:-2])
    return math.ceil(batch * macs_of_one(rows, columns)) * real_products(matrices, matrices)


def lu(rows: int, columns: int) -> float:
    """Return m n k - (m + n) k^2 / 2 + k^3 / 3 for k = min(m, n); n^3 / 3 if square."""
    least = min(rows, columns)
    return rows * columns * least - (rows + columns) * least**2 / 2 + least**3 / 3


def inverse(rows: int, columns: int) -> float:
    """n^3: the factors, their inverses, and the product of those."""
    return rows**3


def cholesky(rows: int, columns: int) -> float:
    """n^3 / 6."""
    return rows**3 / 6


def cholesky_inverse(rows: int, columns: int) -> float:
    """n^3 / 3."""
    return rows**3 / 3


def qr(rows: int, columns: int) -> float:
    """Return m n^2 - n^3 / 3 for m >= n, else the same with m and n exchanged; Q is not formed."""
    most, least = max(rows, columns), min(rows, columns)
    return most * least**2 - least**3 / 3


def eigenvalues(rows: int, columns: int) -> float:
    """5 n^3: Hessenberg form and QR steps."""
    return 5 * rows**3


def eigenvectors(rows: int, columns: int) -> float:
    """12.5 n^3: as above, with the transformations gathered."""
    return 12.5 * rows**3


def orthogonal(rows: int, columns: int) -> float:
    """2 m k q - (m + q) k^2 + 2 k^3 / 3 with q = k columns: Q of m rows formed from k reflections."""
    least = min(rows, columns)
    return 2 * rows * least**2 - (rows + least) * least**2 + 2 * least**3 / 3


def qr_with_q(args: Sequence[Any], out: Any) -> int:
    """Form Q as well, unless only R is asked for; all its columns if `complete`."""
    mode = args[1] if len(args) > 1 else "reduced"
    rows, columns = int(args[0].shape[-2]), int(args[0].shape[-1])
    if mode == "r":
        return _each(args[0], qr)
    width = rows if mode == "complete" else min(rows, columns)
    least = min(rows, columns)
    forming = 2 * rows * least * width - (rows + width) * least**2 + 2 * least**3 / 3
    return _each(args[0], lambda m, n: qr(m, n) + forming)


def symmetric_eigenvalues(args: Sequence[Any], out: Any) -> int:
    """4.5 n^3 with vectors, 2 n^3 / 3 without: tridiagonal form and QR steps."""
    vectors = args[2] if len(args) > 2 else True
    return _each(args[0], lambda rows, _: (4.5 if vectors else 2 / 3) * rows**3)


def singular_values(args: Sequence[Any], out: Any) -> int:
    """Values only m n^2 + n^3; thin vectors 3 m n^2 + 10 n^3; all of them 2 m^2 n + 11 n^3 (m >= n)."""
    everything = len(args) > 1 and bool(args[1])
    vectors = args[2] if len(args) > 2 else True

    def one(rows: int, columns: int) -> float:
        most, least = max(rows, columns), min(rows, columns)
        if not vectors:
            return most * least**2 + least**3
        if everything:
            return 2 * most**2 * least + 11 * least**3
        return 3 * most * least**2 + 10 * least**3

    return _each(args[0], one)


def pseudo_inverse(args: Sequence[Any], out: Any) -> int:
    """Take the singular values with thin vectors, then one product of both."""
    return singular_values((args[0],), out) + _each(args[0], lambda m, n: m * n * min(m, n))


def solve(args: Sequence[Any], out: Any) -> int:
    """n^3 / 3 for the factors, n^2 for each right-hand side."""
    return _each(args[0], lu) + _substitutions(args[0], out[0])


def _substitutions(matrix: torch.Tensor, solution: torch.Tensor) -> int:
    """Return n^2 MACs for each column: forward and back substitution with a matrix of n rows."""
    return int(matrix.shape[-1]) * int(solution.numel()) * real_products(matrix, solution)


def substitution_both_ways(place: int) -> Formula:
    """Solve with factors that stand at `place` of the arguments."""

    def macs(args: Sequence[Any], out: Any) -> int:
        return _substitutions(args[place], out)

    return macs


def triangular(place: int) -> Formula:
    """n^2 / 2 for each right-hand side; the matrix stands at `place` of the arguments."""

    def macs(args: Sequence[Any], out: Any) -> int:
        solution = out if isinstance(out, torch.Tensor) else out[0]
        return math.ceil(_substitutions(args[place], solution) / 2)

    return macs


def least_squares(args: Sequence[Any], out: Any) -> int:
    """Factor the matrix by its singular values, which no driver exceeds; m n for each right-hand side."""
    columns = int(args[1].numel() * args[0].shape[-1])
    return pseudo_inverse(args, out) + columns * real_products(args[0], args[1])


def apply_reflections(args: Sequence[Any], out: Any) -> int:
    """2 m n k - n k^2: k reflections on a matrix of m rows (columns, if from the right) and n others."""
    reflections = int(args[1].shape[-1])
    side = int(args[0].shape[-2])
    others = int(args[2].numel()) / max(side, 1)
    return math.ceil((2 * side - reflections) * reflections * others) * real_products(args[0], args[2])


def matrix_exponential(args: Sequence[Any], out: Any) -> int:
    """Return the products of the polynomial, and one for each time that the matrix was halved."""
    matrices = args[0]
    norms = torch.linalg.matrix_norm(matrices, 1).reshape(-1).tolist() if matrices.numel() else []
    halved = sum(map(_squarings, norms))
    rows = int(matrices.shape[-1])
    return (len(norms) * _POLYNOMIAL_PRODUCTS + halved) * rows**3 * real_products(matrices, matrices)


def _squarings(norm: float) -> int:
    if not math.isfinite(norm):
        return _MOST_SQUARINGS
    return max(0, math.ceil(math.log2(norm / _EXACT_NORM))) if norm > 0 else 0
