import importlib.util
import zipfile

import pytest
import torch

from competition.demo.entries import write_untrained_entries


@pytest.fixture(scope="module")
def untrained_entries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entries")
    write_untrained_entries(folder)
    return folder


def model_of(entry, folder):
    with zipfile.ZipFile(entry) as archive:
        archive.extractall(folder)
    spec = importlib.util.spec_from_file_location(f"{entry.stem}_model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Model().float().eval()


@pytest.fixture(scope="module")
def over_budget(untrained_entries, tmp_path_factory):
    return model_of(untrained_entries / "over_budget.zip", tmp_path_factory.mktemp("model"))


def test_the_entry_that_knows_nothing_answers_and_calls_the_same_classes_each_time(
    untrained_entries, tmp_path
):
    images = torch.rand(8, 3, 224, 224)
    with torch.inference_mode():
        first, second = (
            model_of(untrained_entries / "by_chance.zip", tmp_path / name)(images)
            for name in ("one", "other")
        )

    assert first.shape == (8, 100)
    assert torch.equal(first, second)


def test_the_entry_over_budget_has_too_many_parameters(over_budget):
    expected = (3 * 16 + 1) * 512 + (512 * 9 + 1) * 512 + (512 * 64 + 1) * 1000 + 1001 * 100

    assert sum(parameter.numel() for parameter in over_budget.parameters()) == expected
    assert expected > 30_000_000


def test_the_entry_over_budget_takes_too_many_macs(over_budget):
    assert over_budget.mix.weight.numel() * (224 // over_budget.patches.stride[0]) ** 2 > 5_000_000_000


def test_the_entry_over_budget_breaks_no_other_rule(over_budget):
    with torch.inference_mode():
        outputs = over_budget(torch.rand(2, 3, 224, 224))

    assert outputs.shape == (2, 100)
    assert torch.isfinite(outputs).all()


def test_the_zip_of_the_entry_over_budget_is_small(untrained_entries):
    assert (untrained_entries / "over_budget.zip").stat().st_size < 10_000


def test_the_broken_entry_begins_like_a_zip_and_is_none(untrained_entries):
    assert (untrained_entries / "broken.zip").read_bytes().startswith(b"PK\x03\x04")
    assert not zipfile.is_zipfile(untrained_entries / "broken.zip")


def test_writing_twice_gives_the_same_bytes(untrained_entries, tmp_path):
    write_untrained_entries(tmp_path)

    for name in ("by_chance.zip", "over_budget.zip", "broken.zip"):
        assert (tmp_path / name).read_bytes() == (untrained_entries / name).read_bytes()
