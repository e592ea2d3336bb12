from tests.attacks.making import write_zip

MODEL = "def load_model(weights_path, num_classes=2): ..."


def build(folder, around):
    config = "name: " + "[" * 100_000
    return write_zip(
        folder / "entry.zip",
        {"model_config.yaml": config, "model.py": MODEL, "model.safetensors": b"\2" + b"\0" * 7 + b"{}"},
    )
