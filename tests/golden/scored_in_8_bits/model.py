import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.grey = torch.nn.Conv2d(3, 1, 1, bias=False)
        self.grey.weight.data.fill_(85.0)
        self.head = torch.nn.Linear(1, 100)
        self.head.weight.data.zero_()
        self.head.bias.data.fill_(-100.0)
        self.head.weight.data[[0, 99], 0] = torch.tensor([-1.0, 1.0])
        self.head.bias.data[[0, 99]] = torch.tensor([50.0, -50.0])

    def forward(self, x):
        return self.head(self.grey(x).mean((2, 3)))
