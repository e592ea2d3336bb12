import io
import tarfile


def build(folder, around):
    path = folder / "entry.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        model = tarfile.TarInfo("model.py")
        model.size = 5
        archive.addfile(model, io.BytesIO(b"owned"))
        disk = tarfile.TarInfo("disk")
        disk.type, disk.devmajor, disk.devminor = tarfile.BLKTYPE, 254, 0
        archive.addfile(disk)
    return path
