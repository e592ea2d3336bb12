import torch
from qai_hub_models.models._shared.imagenet_classifier.model import ImagenetClassifier


class Colours(ImagenetClassifier):
    @classmethod
    def from_pretrained(cls, weights="weights.pt"):
        net = torch.nn.Linear(3, 1000)
        net.load_state_dict(torch.load(weights, weights_only=True))
        return cls(net)
