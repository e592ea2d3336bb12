import torch


class Model(torch.nn.Module):
    """The class k nearest to the brightness b: the largest of 2kb - k², which is linear in b."""

    def __init__(self):
        super().__init__()
        self.grey = torch.nn.Conv2d(3, 1, 1, bias=False)
        self.grey.weight.data.fill_(85.0)
        self.head = torch.nn.Linear(1, 100)
        self.head.weight.data[:, 0] = 2 * torch.arange(100.0)
        self.head.bias.data = -(torch.arange(100.0) ** 2)

    def forward(self, x):
        return self.head(self.grey(x).mean((2, 3)))
