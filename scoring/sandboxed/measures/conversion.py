"""Converts an ONNX graph to a torch module, for counting and comparing only.

onnx2torch knows operator versions up to about opset 18 and stumbles over initialisers shared
through Identity nodes. So ONNX Runtime's basic optimisation rewrites the graph first, and known
converters are lent to newer versions of an operator where its signature did not change.
"""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Final

import onnx
import onnxruntime
from onnx import defs, helper, numpy_helper
from torch import nn

from scoring.sandboxed.lean_import import hollow
from scoring.sandboxed.torchvision_ops import declare_missing_operators

_WITH_TORCHVISION: Final = {
    "NonMaxSuppression": "onnx2torch.node_converters.nms",
    "RoiAlign": "onnx2torch.node_converters.roialign",
}
"""Operators whose converters import torchvision, which takes longer than torch: loaded for graphs that have them."""
with hollow(*_WITH_TORCHVISION.values()):
    import onnx2torch
    from onnx2torch.node_converters import registry

_ERRORS_ONLY = 3


def convert(path: Path) -> nn.Module:
    """Return the module; raises whatever onnx2torch raises for what it does not know."""
    with tempfile.TemporaryDirectory() as folder:
        model = _simplify(path, Path(folder) / "simplified.onnx")
    _write_as_before(model.graph)
    opsets = {opset.domain: opset.version for opset in model.opset_import}
    for node in model.graph.node:
        _load_converter(node)
        _lend_converter(node, opsets[node.domain])
    return onnx2torch.convert(model).eval()


def _load_converter(node: onnx.NodeProto) -> None:
    if node.op_type in _WITH_TORCHVISION:
        declare_missing_operators()
        import_module(_WITH_TORCHVISION[node.op_type])


def _simplify(path: Path, target: Path) -> onnx.ModelProto:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    options.log_severity_level = _ERRORS_ONLY
    # Whole, with the weights that lie in files beside it: ONNX Runtime looks for those beside its target.
    whole = onnx.load(path).SerializeToString()
    onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    return onnx.load(target)


def _write_as_before(graph: onnx.GraphProto) -> None:
    """Write nodes as older operator versions did, where that means the same."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Reshape":
            # It matters only for a side of length zero, which no batch here has.
            _drop_attribute(node, "allowzero")
        moves = node.op_type.startswith("Reduce") and node.op_type != "ReduceSum" and len(node.input) == 2
        if moves and node.input[1] in constants:
            # Axes of reductions are an input since opset 18.
            axes = numpy_helper.to_array(constants[node.input[1]]).tolist()
            del node.input[1]
            _drop_attribute(node, "noop_with_empty_axes")
            node.attribute.append(helper.make_attribute("axes", axes))


def _drop_attribute(node: onnx.NodeProto, name: str) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)


def _lend_converter(node: onnx.NodeProto, opset: int) -> None:
    """Register the newest converter of an older version, if nothing the node uses has changed."""
    try:
        schema = defs.get_schema(node.op_type, domain=node.domain, max_inclusive_version=opset)
    except defs.SchemaError:
        return
    known = registry._CONVERTER_REGISTRY
    wanted = registry.OperationDescription(node.domain, node.op_type, schema.since_version)
    older = [
        each.version
        for each in known
        if each.domain == node.domain
        and each.operation_type == node.op_type
        and each.version < schema.since_version
    ]
    if wanted in known or not older:
        return
    lent = registry.OperationDescription(node.domain, node.op_type, max(older))
    before = defs.get_schema(node.op_type, domain=node.domain, max_inclusive_version=lent.version)
    if _same_signature(before, schema, node):
        known[wanted] = known[lent]


def _same_signature(before: defs.OpSchema, now: defs.OpSchema, node: onnx.NodeProto) -> bool:
    used = {attribute.name for attribute in node.attribute}
    places = [
        [(place.name, place.option) for place in each]
        for each in (before.inputs, now.inputs, before.outputs, now.outputs)
    ]
    # Inputs added at the end do no harm where the node leaves them out.
    inputs_agree = places[1][: len(places[0])] == places[0] and len(node.input) <= len(places[0])
    defaults_agree = all(
        name in used or (name in now.attributes and _same_default(attribute, now.attributes[name]))
        for name, attribute in before.attributes.items()
    )
    return inputs_agree and places[2] == places[3] and defaults_agree and used <= set(before.attributes)


def _same_default(before: defs.OpSchema.Attribute, now: defs.OpSchema.Attribute) -> bool:
    return bool(before.default_value == now.default_value)
