from tests.attacks.making import write_zip

SCRIPT = "<script>alert('owned')<\\script>"


def build(folder, around):
    return write_zip(
        folder / "entry.zip", {"model.py": "class Model: ...", f"../{SCRIPT}": "", f"{SCRIPT}.bin": ""}
    )
