from tests.attacks.making import write_honest


def build(folder, around):
    return write_honest(folder / "entry.onnx")
