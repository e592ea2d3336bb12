import struct
import zipfile


def build(folder, around):
    """Let a thousand names of the directory point to the bytes of one member."""
    path = folder / "entry.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "0123456789" * 20_000)
        archive.writestr("model.py", "class Model: ...")
        first = archive.filelist[0]
        for number in range(1000):
            member = zipfile.ZipInfo(f"{number:05}")
            for name in ("CRC", "compress_size", "file_size", "header_offset", "compress_type"):
                setattr(member, name, getattr(first, name))
            archive.filelist.append(member)
        archive._didModify = True
    return path
