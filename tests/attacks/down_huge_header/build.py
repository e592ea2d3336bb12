from tests.attacks.making import write_zip

CONFIG = "name: a\nversion: '1'\nmodality: image\nmodel: {num_classes: 2}\n"
MODEL = "def load_model(weights_path, num_classes=2): ..."


def build(folder, around):
    weights = (2**62).to_bytes(8, "little") + b"{}"
    return write_zip(
        folder / "entry.zip", {"model_config.yaml": CONFIG, "model.py": MODEL, "model.safetensors": weights}
    )
