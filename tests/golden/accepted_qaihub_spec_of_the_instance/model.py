import torch
from qai_hub_models.utils.base_model import BaseModel
from qai_hub_models.utils.input_spec import InputSpec


class Brightness(BaseModel):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(255.0))
        self.side = 224

    @classmethod
    def from_pretrained(cls, scale=None):
        return cls()

    def forward(self, image):
        brightness = (image.mean((1, 2, 3)) * self.scale).unsqueeze(1)
        return -(brightness - torch.arange(1000.0)).abs()

    @staticmethod
    def get_input_spec(side: int = 64) -> InputSpec:
        return {"image": ((1, 3, side, side), "float32")}

    def _get_input_spec_for_instance(self) -> InputSpec:
        return self.__class__.get_input_spec(side=self.side)

    @staticmethod
    def get_output_names():
        return ["logits"]
