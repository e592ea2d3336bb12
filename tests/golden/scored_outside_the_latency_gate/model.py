import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(255.0))

    def forward(self, x):
        brightness = (x.mean((1, 2, 3)) * self.scale).unsqueeze(1)
        return -(brightness - torch.arange(100.0)).abs()
