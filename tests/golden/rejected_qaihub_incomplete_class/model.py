import torch
from qai_hub_models.utils.base_model import BaseModel


class Brightness(BaseModel):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(255.0))

    @classmethod
    def from_pretrained(cls, scale):
        return cls()

    def forward(self, image):
        brightness = (image.mean((1, 2, 3)) * self.scale).unsqueeze(1)
        return -(brightness - torch.arange(1000.0)).abs()
