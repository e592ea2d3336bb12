import mmap

# One page read in each two megabytes: a page of the tables each, and never one of data.
kept = []
for _ in range(8):
    area = mmap.mmap(-1, 2**38, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
    kept.append(area)
    for place in range(0, 2**38, 2**21):
        area[place]


class Model: ...
