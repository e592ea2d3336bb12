from onnx import TensorProto, helper

LEVELS = 2_000
OUTPUT = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4]).SerializeToString()
GRAPH = 5


def build(folder, around):
    """Nest branches far deeper than libraries agree to write: field by field, from the innermost outwards."""
    graph = (
        field(1, field(1, b"x") + field(2, b"y") + field(4, b"Identity"))
        + field(2, b"leaf")
        + field(12, OUTPUT)
    )
    for _ in range(LEVELS):
        branch = field(1, b"then_branch") + field(6, graph) + varint(20 << 3) + varint(GRAPH)
        node = field(1, b"x") + field(2, b"y") + field(4, b"If") + field(5, branch)
        graph = field(1, node) + field(2, b"g") + field(12, OUTPUT)
    path = folder / "entry.onnx"
    path.write_bytes(varint(1 << 3) + varint(9) + field(7, graph) + field(8, varint(2 << 3) + varint(18)))
    return path


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value):
    coded = bytearray()
    while value > 127:
        coded.append(value & 127 | 128)
        value >>= 7
    coded.append(value)
    return bytes(coded)
