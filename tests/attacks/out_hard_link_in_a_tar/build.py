import io
import tarfile


def build(folder, around):
    path = folder / "entry.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        model = b"print(open(__file__.replace('model.py', 'weights.txt')).read())\nclass Model: ..."
        member = tarfile.TarInfo("model.py")
        member.size = len(model)
        archive.addfile(member, io.BytesIO(model))
        link = tarfile.TarInfo("weights.txt")
        link.type, link.linkname = tarfile.LNKTYPE, str(around.secret_file)
        archive.addfile(link)
    return path
