"""What people download weights with finds them in the entry, in a child as in the sandbox."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from scoring.contracts import Task

WEIGHTS = "https://example.org/models/net-0123abcd.pth"
MODEL = """
import torch
{head}
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.zeros(3))
        self.load_state_dict(loaded())
    def forward(self, x):
        return x.mean((2, 3)) * self.scale
"""
BY_TORCH = f"def loaded(): return torch.hub.load_state_dict_from_url({WEIGHTS!r}, check_hash=True)"
BY_TORCH_FILE = f"""
def loaded():
    torch.hub.download_url_to_file({WEIGHTS!r}, "/tmp/net.pth", hash_prefix="0123abcd")
    return torch.load("/tmp/net.pth")
"""
BY_URLLIB = f"""
import io, urllib.request
def loaded(): return torch.load(io.BytesIO(urllib.request.urlopen({WEIGHTS!r}).read()))
"""
BY_URLRETRIEVE = f"""
import urllib.request
def loaded(): return torch.load(urllib.request.urlretrieve({WEIGHTS!r})[0])
"""
BY_HUGGING_FACE = """
from huggingface_hub import hf_hub_download
def loaded(): return torch.load(hf_hub_download("models", "net-0123abcd.pth"))
"""
BY_TIMM = f"""
from timm.models._hub import download_cached_file
def loaded(): return torch.load(download_cached_file({WEIGHTS!r}))
"""
WAYS = [BY_TORCH, BY_TORCH_FILE, BY_URLLIB, BY_URLRETRIEVE, BY_HUGGING_FACE, BY_TIMM]
NAMES = ["torch.hub", "download_url_to_file", "urlopen", "urlretrieve", "hf_hub_download", "timm"]


def keep(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"scale": torch.tensor([1.0, 2.0, 3.0])}, path)


@pytest.mark.parametrize("way", WAYS, ids=NAMES)
def test_weights_in_the_entry_are_what_is_downloaded(child, way):
    child.write("model.py", MODEL.format(head=way))
    keep(child.package / "weights" / "net-0123abcd.pth")

    ended = child.run(Task.PREDICT)

    expected = child.pixels.mean((2, 3)) / 255 * [1, 2, 3]
    np.testing.assert_allclose(ended.rows, expected, rtol=1e-5)


@pytest.mark.parametrize("way", WAYS, ids=NAMES)
def test_weights_that_are_not_in_the_entry_are_told(child, way):
    child.write("model.py", MODEL.format(head=way))

    ended = child.run(Task.MEASURE)

    assert ended.reply["outcome"] == "not_in_entry"
    assert ended.reply["facts"]["found"] in {"example.org/models/net-0123abcd.pth", "models/net-0123abcd.pth"}


def test_a_clone_in_the_entry_is_what_torch_hub_loads(child):
    (child.package / "hub" / "owner_net_main").mkdir(parents=True)
    child.write("hub/owner_net_main/hubconf.py", "import torch\ndef scale(): return {'scale': torch.ones(3)}")
    child.write(
        "model.py", MODEL.format(head="def loaded(): return torch.hub.load('owner/net:main', 'scale')")
    )

    ended = child.run(Task.PREDICT)

    np.testing.assert_allclose(ended.rows, child.pixels.mean((2, 3)) / 255, rtol=1e-5)


def test_what_the_entry_brings_of_a_repository_is_in_hugging_faces_cache(child):
    """Transformers downloads a file, and then asks the cache for it."""
    head = """
from huggingface_hub import hf_hub_download, try_to_load_from_cache
def loaded():
    hf_hub_download("a/net", "weights.bin", subfolder="part")
    return torch.load(try_to_load_from_cache("a/net", "part/weights.bin"))
"""
    child.write("model.py", MODEL.format(head=head))
    keep(child.package / "weights" / "a" / "net" / "part" / "weights.bin")

    assert child.run(Task.PREDICT).reply == {"outcome": "ok", "rows": 5}


def test_a_model_may_do_without_what_is_not_there(child):
    head = """
def loaded():
    try:
        return torch.hub.load_state_dict_from_url("https://example.org/better.pth")
    except OSError:
        return {"scale": torch.ones(3)}
"""
    child.write("model.py", MODEL.format(head=head))

    assert child.run(Task.PREDICT).reply == {"outcome": "ok", "rows": 5}


BY_SNAPSHOT = """
from huggingface_hub import snapshot_download
def loaded(): return torch.load(snapshot_download("a/net") + "/net.pth")
"""
INTO_A_FOLDER = """
from huggingface_hub import snapshot_download
def loaded():
    snapshot_download("a/net", local_dir="/tmp/net", allow_patterns=["*.pth"])
    assert __import__("os").listdir("/tmp/net") == ["net.pth"]
    return torch.load("/tmp/net/net.pth")
"""
FROM_THE_CACHE = """
from huggingface_hub import HfApi, try_to_load_from_cache
def loaded():
    HfApi().snapshot_download(repo_id="a/net")
    return torch.load(try_to_load_from_cache("a/net", "net.pth"))
"""
PLACES = ["weights/a/net", "net", "hub/models--a--net/snapshots/0123abcd"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "way", [BY_SNAPSHOT, INTO_A_FOLDER, FROM_THE_CACHE], ids=["plain", "into a folder", "from the cache"]
)
def test_a_repository_in_the_entry_is_what_is_downloaded(child, way, place):
    child.write("model.py", MODEL.format(head=way))
    keep(child.package / place / "net.pth")
    (child.package / place / "README.md").touch()

    assert child.run(Task.PREDICT).reply == {"outcome": "ok", "rows": 5}


def test_a_repository_that_is_not_in_the_entry_is_told(child):
    child.write("model.py", MODEL.format(head=BY_SNAPSHOT))

    reply = child.run(Task.MEASURE).reply

    assert reply == {"outcome": "not_in_entry", "facts": {"found": "a/net (the whole repository)"}}
