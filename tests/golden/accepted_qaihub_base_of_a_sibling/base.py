from qai_hub_models.utils.base_model import BaseModel


class Classifier(BaseModel):
    @classmethod
    def from_pretrained(cls):
        return cls()


class Names:
    @staticmethod
    def get_output_names():
        return ["logits"]
