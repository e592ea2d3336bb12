from tests.attacks.making import write_zip


def build(folder, around):
    return write_zip(
        folder / "entry.zip", {"model.py": "class Model: ...", "/".join(["deep"] * 5_000) + "/x.txt": ""}
    )
