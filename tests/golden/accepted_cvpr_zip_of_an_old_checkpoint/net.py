from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 100)

    def forward(self, images):
        return self.last(images.mean((2, 3)))
