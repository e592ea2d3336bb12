import zipfile

MODEL = """print(open(__file__.replace("model.py", "weights.txt")).read())
class Model: ...
"""


def build(folder, around):
    path = folder / "entry.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.py", MODEL)
        link = zipfile.ZipInfo("weights.txt")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, str(around.secret_file))
    return path
