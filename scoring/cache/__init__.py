"""A folder of what is costly to make: made once, shared by processes, forgotten when it grows too large.

`build` makes files under a lock, `holds` keeps what is in use from being removed, `trim` removes what
was used longest ago. Only the standard library is needed, so that the site may use it for datasets.

    KEY.npy, KEY.masks.npy    decoded arrays (readers)
    datasets/DIGEST/          unpacked datasets (the site)
    digests/STATE             digests of data folders (readers)

Beside an item NAME, `NAME.lock` is held by who makes it, `NAME.used` by who uses it; the latter's
modification time is the last use, set by us, since mount options decide what access times say.
"""
