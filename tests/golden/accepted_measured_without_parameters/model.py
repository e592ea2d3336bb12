import torch


class Model(torch.nn.Module):
    def forward(self, x):
        return x.mean((1, 2, 3)).unsqueeze(1) * torch.arange(100.0)
