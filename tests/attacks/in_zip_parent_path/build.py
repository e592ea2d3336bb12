from tests.attacks.making import write_zip


def build(folder, around):
    return write_zip(
        folder / "entry.zip",
        {"model.py": "class Model: ...", "../" * 30 + str(around.secret_file)[1:]: "owned"},
    )
