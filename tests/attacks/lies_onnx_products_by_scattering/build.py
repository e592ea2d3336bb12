import numpy as np

from tests.attacks.making import honest_nodes, honest_weights, node, write_onnx

ROWS, SIDE, STEPS = 3 * 32, 32, 20
TERMS = ROWS * SIDE * SIDE


def build(folder, around):
    """Repeat rows, scatter the factors on them as products and these on nought as sums, twenty times."""
    nodes = [
        node("Shape", ["x"], ["pictures"], end=1),
        node("Concat", ["pictures", "terms"], ["of_terms"], axis=0),
        node("Concat", ["pictures", "values"], ["of_values"], axis=0),
        node("Concat", ["pictures", "repeated"], ["of_rows"], axis=0),
        node("Expand", ["each_once", "of_terms"], ["each"]),
        node("Expand", ["sums_once", "of_terms"], ["sums"]),
        node("Expand", ["square", "of_rows"], ["squares"]),
        node("Reshape", ["squares", "as_row"], ["factors"]),
        node("Reshape", ["x", "as_row"], ["h0"]),
    ]
    for step in range(STEPS):
        rows, all_rows, terms, nought = (f"{step}/{name}" for name in ("rows", "all", "terms", "nought"))
        nodes += [
            node("Reshape", [f"h{step}", "as_rows"], [rows]),
            node("Expand", [rows, "of_rows"], [all_rows]),
            node("Reshape", [all_rows, "as_row"], [f"{all_rows}/flat"]),
            node(
                "ScatterElements", [f"{all_rows}/flat", "each", "factors"], [terms], axis=1, reduction="mul"
            ),
            node("Expand", ["nothing", "of_values"], [nought]),
            node("ScatterElements", [nought, "sums", terms], [f"h{step + 1}"], axis=1, reduction="add"),
        ]
    nodes += [node("Reshape", [f"h{STEPS}", "picture"], ["h"]), *honest_nodes("h", "y")]
    places = np.arange(TERMS)
    weights = {
        "terms": np.array([TERMS], np.int64),
        "values": np.array([ROWS * SIDE], np.int64),
        "repeated": np.array([ROWS, SIDE, SIDE], np.int64),
        "as_row": np.array([0, -1], np.int64),
        "as_rows": np.array([-1, ROWS, 1, SIDE], np.int64),
        "picture": np.array([-1, 3, SIDE, SIDE], np.int64),
        "nothing": np.zeros((1, 1), np.float32),
        "each_once": places[None],
        "sums_once": places[None] // SIDE,
        "square": np.eye(SIDE, dtype=np.float32),
        **honest_weights(),
    }
    return write_onnx(folder / "entry.onnx", nodes, weights)
