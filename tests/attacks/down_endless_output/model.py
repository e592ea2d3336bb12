while True:
    print("more " * 1000)


class Model: ...
