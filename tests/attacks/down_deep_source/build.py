from tests.attacks.making import write_zip


def build(folder, around):
    return write_zip(folder / "entry.zip", {"model.py": "x = " + "-" * 200_000 + "1\nclass Model: ...\n"})
