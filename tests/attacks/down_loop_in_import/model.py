while True:
    pass


class Model: ...
