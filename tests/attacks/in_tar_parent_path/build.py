import io
import tarfile


def build(folder, around):
    path = folder / "entry.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("model.py", "../" * 30 + str(around.secret_file)[1:]):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"owned"))
    return path
