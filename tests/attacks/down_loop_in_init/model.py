from torch import nn


class Model(nn.Module):
    def __init__(self):
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
