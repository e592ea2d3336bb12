def count(*_):
    return 0
