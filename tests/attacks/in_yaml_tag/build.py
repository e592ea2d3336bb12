from tests.attacks.making import write_zip

MODEL = "def load_model(weights_path, num_classes=2): ..."


def build(folder, around):
    run = f"open({str(around.host / 'tagged.txt')!r}, 'w').write('it ran')"
    config = f"name: !!python/object/apply:builtins.exec [\"{run}\"]\nversion: '1'\nmodality: image\nmodel: {{num_classes: 2}}\n"
    files = {"model_config.yaml": config, "model.py": MODEL, "model.safetensors": b"\2" + b"\0" * 7 + b"{}"}
    return write_zip(folder / "entry.zip", files)
