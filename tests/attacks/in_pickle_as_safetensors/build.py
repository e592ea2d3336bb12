from tests.attacks.making import write_zip
from tests.attacks.pickles import plain

CONFIG = "name: a\nversion: '1'\nmodality: image\nmodel: {num_classes: 2}\n"
MODEL = "def load_model(weights_path, num_classes=2): ..."


def build(folder, around):
    files = {"model_config.yaml": CONFIG, "model.py": MODEL, "model.safetensors": plain(around)}
    return write_zip(folder / "entry.zip", files)
