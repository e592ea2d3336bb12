from safetensors.torch import load_file


def load_model(weights_path, num_classes=2):
    return load_file(weights_path)
