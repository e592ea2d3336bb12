"""`podium pack` brings what a model downloads, from a host on this machine; the sandbox then finds it."""

from __future__ import annotations

import subprocess
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from scoring.cli.app import app

pytestmark = pytest.mark.slow

CVPR = """
import torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.zeros(()))
        self.load_state_dict(torch.hub.load_state_dict_from_url("{host}/models/net-0123abcd.pth"))
    def forward(self, x):
        return x.mean((2, 3)) * self.scale
"""
AI_HUB = """
import torch
from qai_hub_models.models.net.external_repos.sums.adding import total
from qai_hub_models.models.templates.shared.layers import scaled
from qai_hub_models.utils.asset_loaders import CachedWebModelAsset, load_torch
from qai_hub_models.utils.base_model import BaseModel
WEIGHTS = CachedWebModelAsset("{host}/models/net-0123abcd.pth", "net", 1, "net.pth")
class Net(BaseModel):
    @classmethod
    def from_pretrained(cls):
        model = cls()
        model.state = load_torch(WEIGHTS)
        return model
    def get_input_spec(self): return {{"image": ((1, 3, 224, 224), "float32")}}
    def get_output_names(self): return ["logits"]
    def forward(self, image): return scaled(total(image))
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """Serve a checkpoint on a free port, as a host of weights does."""
    served = tmp_path / "host" / "models"
    served.mkdir(parents=True)
    torch.save({"scale": torch.tensor(2.0)}, served / "net-0123abcd.pth")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(served.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the participant's home, where libraries keep what they downloaded."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return home


def packed(folder: Path, *options: str) -> tuple[set[str], str]:
    entry = folder.parent / "entry.zip"
    ended = CliRunner().invoke(app, ["pack", str(folder), "-o", str(entry), *options])
    assert ended.exit_code == 0, ended.output
    with zipfile.ZipFile(entry) as archive:
        return set(archive.namelist()), ended.output


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(text)
    return folder


def test_weights_that_a_model_downloads_are_packed_under_their_address(
    host: str, home: Path, tmp_path: Path
) -> None:
    names, told = packed(write(tmp_path / "net", CVPR.format(host=host)))

    place = f"weights/{host.removeprefix('http://')}/models/net-0123abcd.pth"
    assert names == {"model.py", place}
    assert f"fetched {place} from" in told


def test_what_pythons_own_library_downloads_is_packed_as_well(host: str, home: Path, tmp_path: Path) -> None:
    text = CVPR.format(host=host).replace(
        "import torch\n", "import io, torch, urllib.request as request\n", 1
    )
    by_urllib = text.replace("torch.hub.load_state_dict_from_url(", "torch.load(io.BytesIO(request.urlopen(")
    text = by_urllib.replace('.pth"))', '.pth").read())))')

    names, told = packed(write(tmp_path / "net", text))

    assert "could not be built" not in told
    assert names == {"model.py", f"weights/{host.removeprefix('http://')}/models/net-0123abcd.pth"}


def test_weights_in_a_cache_are_packed_without_a_network(home: Path, tmp_path: Path) -> None:
    kept = home / ".cache" / "torch" / "hub" / "checkpoints" / "net-0123abcd.pth"
    kept.parent.mkdir(parents=True)
    torch.save({"scale": torch.tensor(2.0)}, kept)

    names, _ = packed(write(tmp_path / "net", CVPR.format(host="http://127.0.0.1:9")))

    assert names == {"model.py", "weights/127.0.0.1:9/models/net-0123abcd.pth"}


def test_weights_that_the_folder_has_are_left_where_they_are(home: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "net", CVPR.format(host="http://127.0.0.1:9"))
    torch.save({"scale": torch.tensor(2.0)}, folder / "net-0123abcd.pth")

    names, told = packed(folder)

    assert names == {"model.py", "net-0123abcd.pth"}
    assert "fetched" not in told


HUGGING_FACE = """
import torch
from huggingface_hub import snapshot_download
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.folder = snapshot_download("a/net")
    def forward(self, x):
        return x.mean((2, 3))
"""


def test_a_repository_that_hugging_faces_cache_holds_is_packed_whole(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, commit = tmp_path / "hub" / "models--a--net", "0" * 40
    for name, content in (("refs/main", commit), (f"snapshots/{commit}/part/config.json", "{}")):
        (kept / name).parent.mkdir(parents=True)
        (kept / name).write_text(content)
    monkeypatch.setenv("HF_HUB_CACHE", str(kept.parent))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    names, told = packed(write(tmp_path / "net", HUGGING_FACE))

    assert names == {"model.py", "weights/a/net/part/config.json"}
    assert "fetched weights/a/net from a/net (the whole repository)" in told


def test_the_environment_that_a_model_is_built_in_has_to_be_installed(
    own_environment: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "net", "raise SystemExit")

    ended = CliRunner().invoke(app, ["pack", str(folder), "--environment", own_environment])

    assert ended.exit_code == 2
    assert f"run `podium environment install {own_environment}`" in ended.output


def test_a_host_that_cannot_be_reached_is_told_and_the_folder_packed(home: Path, tmp_path: Path) -> None:
    names, told = packed(write(tmp_path / "net", CVPR.format(host="http://127.0.0.1:9")))

    assert names == {"model.py"}
    assert "could not be built here" in told


def test_nothing_is_run_where_nothing_is_to_be_fetched(home: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "net", f"raise SystemExit({CVPR!r})")

    names, told = packed(folder, "--no-fetch")

    assert (names, "could not" in told) == ({"model.py"}, False)


def repository(folder: Path, *, others: int = 0) -> tuple[str, str]:
    """Make a repository of one file, and others in folders; return its address and commit."""
    folder.mkdir(parents=True)
    for number in range(others):
        (folder / f"part{number % 7}").mkdir(exist_ok=True)
        (folder / f"part{number % 7}" / f"{number}.py").touch()
    (folder / "adding.py").write_text("def total(image): return image.sum((1, 2, 3))")
    git = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=n@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Add"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    return folder.as_uri(), commit.strip()


def test_a_folder_of_ai_hub_brings_its_asset_its_clone_and_what_it_shares_with_others(
    host: str, home: Path, tmp_path: Path
) -> None:
    library = tmp_path / "qai_hub_models"
    folder = write(library / "models" / "net", AI_HUB.format(host=host))
    address, commit = repository(tmp_path / "sums")
    (folder / "manifest.yaml").write_text(
        f"id: net\nexternal_repos:\n  sums: {{repo_url: {address!r}, commit_sha: '{commit}'}}\n"
    )
    shared = library / "models" / "templates" / "shared"
    shared.mkdir(parents=True)
    (library / "__init__.py").touch()
    (shared / "layers.py").write_text("def scaled(x): return 2 * x")

    names, told = packed(folder)

    assert "could not be built" not in told
    assert names == {
        "model.py",
        "manifest.yaml",
        "external_repos/sums/adding.py",
        "qai_hub_models/models/templates/shared/layers.py",
        "weights/qai-hub-models/models/net/v1/net.pth",
    }


def test_of_a_large_clone_only_folders_are_packed_of_which_the_model_opened_a_file(
    host: str, home: Path, tmp_path: Path
) -> None:
    folder = write(
        tmp_path / "net",
        AI_HUB.format(host=host).replace(
            "from qai_hub_models.models.templates.shared.layers import scaled", "scaled = float"
        ),
    )
    address, commit = repository(tmp_path / "sums", others=600)
    (folder / "manifest.yaml").write_text(
        f"id: net\nexternal_repos:\n  sums: {{repo_url: {address!r}, commit_sha: '{commit}'}}\n"
    )

    names, told = packed(folder)

    assert "could not be built" not in told
    assert {name for name in names if name.startswith("external_repos")} == {"external_repos/sums/adding.py"}
