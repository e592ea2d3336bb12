for number in range(10**9):
    open(f"/tmp/{number}", "wb").close()


class Model: ...
