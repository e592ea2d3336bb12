import torch

from competition.demo.baselines.track1.model import Model as DigitPairs
from competition.demo.baselines.track2.model import Model as TamperDetector


def test_the_class_of_track_1_is_ten_times_blue_plus_red():
    model = DigitPairs().eval()
    maps = torch.rand(3, 2, 32, 32)
    with torch.inference_mode():
        blue, red = (model.reader(maps[:, ink, None]).argmax(dim=1) for ink in (0, 1))
        classes = model.logits_of_maps(maps).argmax(dim=1)

    assert torch.equal(classes, 10 * blue + red)


def test_exchanging_the_channels_exchanges_the_digits():
    model = DigitPairs().eval()
    images = torch.rand(2, 3, 224, 224)
    with torch.inference_mode():
        bgr, rgb = model(images), model(images.flip(1))

    torch.testing.assert_close(rgb, bgr.view(-1, 10, 10).transpose(1, 2).flatten(1))


def test_track_1_returns_100_logits_for_each_image():
    with torch.inference_mode():
        assert DigitPairs().eval()(torch.rand(2, 3, 224, 224)).shape == (2, 100)


def test_track_2_returns_one_confidence_for_each_image():
    with torch.inference_mode():
        outputs = TamperDetector().eval()(torch.rand(2, 3, 224, 224))

    assert outputs.shape == (2, 1)
    assert ((outputs >= 0) & (outputs <= 1)).all()
