from tests.attacks.making import write_zip


def build(folder, around):
    return write_zip(
        folder / "entry.zip", {"model.py": "class Model: ...", **{f"{n}.txt": "" for n in range(20_000)}}
    )
