import importlib.util
import zipfile

import pytest
import torch

from competition.demo.entries import write_bad_entries


@pytest.fixture(scope="module")
def bad_entries(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entries")
    write_bad_entries(folder)
    return folder


@pytest.fixture(scope="module")
def over_budget(bad_entries, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    with zipfile.ZipFile(bad_entries / "over_budget.zip") as archive:
        archive.extractall(folder)
    spec = importlib.util.spec_from_file_location("over_budget_model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Model().float().eval()


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


def test_the_zip_of_the_entry_over_budget_is_small(bad_entries):
    assert (bad_entries / "over_budget.zip").stat().st_size < 10_000


def test_the_broken_entry_begins_like_a_zip_and_is_none(bad_entries):
    assert (bad_entries / "broken.zip").read_bytes().startswith(b"PK\x03\x04")
    assert not zipfile.is_zipfile(bad_entries / "broken.zip")


def test_writing_twice_gives_the_same_bytes(bad_entries, tmp_path):
    write_bad_entries(tmp_path)

    for name in ("over_budget.zip", "broken.zip"):
        assert (tmp_path / name).read_bytes() == (bad_entries / name).read_bytes()
