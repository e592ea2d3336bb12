from torch import nn
from transformers import ViTConfig, ViTForImageClassification


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = ViTForImageClassification(ViTConfig(num_labels=100))

    def forward(self, x):
        return self.net(x).logits
