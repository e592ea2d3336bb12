import zipfile


def build(folder, around):
    path = folder / "entry.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.py", "class Model: ...")
        link = zipfile.ZipInfo("weights")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, str(around.host))
        archive.writestr("weights/secret.txt", "owned")
    return path
