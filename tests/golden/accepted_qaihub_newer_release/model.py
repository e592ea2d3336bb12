import torch
from qai_hub.client import Device
from qai_hub_models import Precision, TargetRuntime
from qai_hub_models.datasets.imagenet import ImagenetDataset
from qai_hub_models.utils.base_dataset import BaseDataset, DatasetSplit
from qai_hub_models.utils.base_model import BaseModel
from qai_hub_models.utils.input_spec import (
    ColorFormat,
    ImageMetadata,
    InputSpec,
    IoType,
    OutputSpec,
    TensorSpec,
)


class OwnDataset(ImagenetDataset):
    def __init__(self, split: DatasetSplit = DatasetSplit.VAL):
        super().__init__(split=split)


class Light(BaseModel):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(255.0))

    @classmethod
    def from_pretrained(cls, scale=None):
        return cls()

    def get_input_spec(self, batch_size: int = 1) -> InputSpec:
        return {
            "image": TensorSpec(
                shape=(batch_size, 3, 224, 224),
                dtype="float32",
                io_type=IoType.IMAGE,
                value_range=(0.0, 1.0),
                image_metadata=ImageMetadata(color_format=ColorFormat.RGB),
            )
        }

    def get_output_spec(self) -> OutputSpec:
        return {"logits": TensorSpec()}

    @classmethod
    def get_eval_dataset_classes(cls) -> list[type[BaseDataset]]:
        return [OwnDataset]

    def get_hub_litemp_percentage(self, precision: Precision) -> float:
        return 10

    def get_hub_compile_options(
        self, target_runtime: TargetRuntime, precision: Precision, device: Device | None = None
    ) -> str:
        return "" if target_runtime == TargetRuntime.TFLITE else "-O2"


class Brightness(Light):
    def forward(self, image):
        brightness = (image.mean((1, 2, 3)) * self.scale).unsqueeze(1)
        return (-(brightness - torch.arange(1000.0)).abs(),)
