import sys


sys.setrecursionlimit(10**9)


def deeper(value):
    return repr([value]) + deeper([value])


class Deep:
    def __getattr__(self, name):
        return getattr(Deep(), name)


Deep().bottom


class Model: ...
