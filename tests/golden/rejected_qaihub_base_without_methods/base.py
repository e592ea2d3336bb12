from qai_hub_models.utils.base_model import BaseModel


class Classifier(BaseModel):
    def forward(self, image):
        return image
