import socket
import urllib.request

import torch
from torch import nn


def stream():
    socket.create_connection(("127.0.0.1", int("@PORT@")), timeout=2).send(b"hidden")


def datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hidden", ("127.0.0.1", int("@UDP_PORT@")))


def local():
    socket.socket(socket.AF_UNIX).connect("\0@SOCKET@")


def page():
    urllib.request.urlopen("http://127.0.0.1:@PORT@/hidden", timeout=2)


def name():
    socket.getaddrinfo("hidden.example.org", 80)


called = 0
for way in (stream, datagram, local, page, name):
    try:
        way()
        called += 1
    except OSError as error:
        print(way.__name__, error)
print("called:", called, "of 5")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 4)

    def forward(self, x):
        return self.last(x.mean((2, 3)))
