import torch
from qai_hub_models.utils.asset_loaders import CachedWebModelAsset, load_json
from qai_hub_models.utils.base_model import BaseModel
from qai_hub_models.utils.input_spec import InputSpec

SCALE = CachedWebModelAsset.from_asset_store("brightness", 1, "scale.json")


class Brightness(BaseModel):
    def __init__(self, scale):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(scale))

    @classmethod
    def from_pretrained(cls, scale=SCALE):
        return cls(load_json(scale))

    def forward(self, image):
        brightness = (image.mean((1, 2, 3)) * self.scale).unsqueeze(1)
        return -(brightness - torch.arange(1000.0)).abs()

    @staticmethod
    def get_input_spec() -> InputSpec:
        return {"image": ((1, 3, 224, 224), "float32")}

    @staticmethod
    def get_output_names():
        return ["logits"]
