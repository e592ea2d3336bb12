from tests.attacks.making import write_zip

MODEL = "def load_model(weights_path, num_classes=2): ..."


def build(folder, around):
    laughs = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12))
    config = f"name: bomb\nversion: '1'\nmodality: image\nl0: &l0 lol\n{laughs}\nmodel: {{num_classes: 2}}\n"
    return write_zip(
        folder / "entry.zip",
        {"model_config.yaml": config, "model.py": MODEL, "model.safetensors": b"\2" + b"\0" * 7 + b"{}"},
    )
