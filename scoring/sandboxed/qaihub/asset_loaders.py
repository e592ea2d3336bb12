"""What models load files with: assets, which the library would download, are found in the entry."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from scoring.sandboxed.downloads import NotBrought, install_source, url_source

__all__ = [
    "CachedWebAsset",
    "CachedWebDatasetAsset",
    "CachedWebModelAsset",
    "SourceAsRoot",
    "callback_with_retry",
    "find_replace_in_repo",
    "load_image",
    "load_json",
    "load_numpy",
    "load_path",
    "load_raw_file",
    "load_torch",
    "load_yaml",
    "maybe_clone_git_repo",
    "qaihm_temp_dir",
]

T = TypeVar("T")
STORE = "https://qaihub-public-assets.s3.us-west-2.amazonaws.com/qai-hub-models"
DRIVE = "https://drive.google.com/uc?id="
ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")


class CachedWebAsset:
    """A file of the web. In the entry it has its own name, or the end of its path in the library's cache."""

    def __init__(
        self, url: str, local_cache_path: str | os.PathLike[str], *args: object, **kwargs: object
    ) -> None:
        self.url = url
        self._asked = Path(local_cache_path).as_posix().lstrip("/")
        self._extracted: Path | None = None

    def __repr__(self) -> str:
        """Return the address."""
        return self.url

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self._extracted or install_source().get(self._asked, self._download)

    @property
    def is_fetched(self) -> bool:
        """Say whether the file is there."""
        with contextlib.suppress(NotBrought):
            return self.path.exists()
        return False

    @property
    def extracted_path(self) -> Path:
        """Return the folder with the archive's contents."""
        return self.extract()

    def fetch(self, extract: bool = False, local_path: str | Path | None = None) -> Path:
        """Return the file, or the folder with an archive's contents."""
        if local_path is not None:
            return Path(local_path)
        return self.extract() if extract else self.path

    def extract(self) -> Path:
        """Unpack the archive once, and return its folder; a single folder inside stands for it."""
        if self._extracted is None:
            self._extracted = _unpacked(self.path)
        return self._extracted

    def _download(self, to: Path) -> None:
        urllib.request.urlretrieve(self.url, to)  # noqa: S310  # the model's own address, on its owner's machine


class CachedWebModelAsset(CachedWebAsset):
    """A file that belongs to a model."""

    def __init__(
        self,
        url: str,
        model_id: str,
        model_asset_version: int | str,
        filename: str | Path,
        *args: object,
        **kwargs: object,
    ) -> None:
        super().__init__(url, _stored("models", model_id, model_asset_version, filename))
        self.model_id = model_id
        self.model_version = model_asset_version

    @staticmethod
    def from_asset_store(
        model_id: str, model_asset_version: int | str, filename: str | Path, *args: object, **kwargs: object
    ) -> CachedWebModelAsset:
        """Return a file of the library's own store."""
        url = f"{STORE}/models/{model_id}/v{model_asset_version}/{Path(filename).as_posix()}"
        return CachedWebModelAsset(url, model_id, model_asset_version, filename)

    @staticmethod
    def from_google_drive(
        gdrive_file_id: str,
        model_id: str,
        model_asset_version: int | str,
        filename: str,
        *args: object,
        **kwargs: object,
    ) -> CachedWebModelAsset:
        """Return a file of Google Drive."""
        return CachedWebModelAsset(f"{DRIVE}{gdrive_file_id}", model_id, model_asset_version, filename)


class CachedWebDatasetAsset(CachedWebAsset):
    """A file that belongs to a data set."""

    def __init__(
        self,
        url: str,
        dataset_id: str,
        dataset_version: int | str,
        filename: str,
        *args: object,
        **kwargs: object,
    ) -> None:
        super().__init__(url, _stored("datasets", dataset_id, dataset_version, filename))

    @staticmethod
    def from_asset_store(
        dataset_id: str, dataset_version: int | str, filename: str, *args: object, **kwargs: object
    ) -> CachedWebDatasetAsset:
        """Return a file of the library's own store."""
        url = f"{STORE}/datasets/{dataset_id}/v{dataset_version}/{filename}"
        return CachedWebDatasetAsset(url, dataset_id, dataset_version, filename)


File = str | Path | CachedWebAsset


def _stored(kind: str, owner: str, version: int | str, filename: str | Path) -> str:
    return f"qai-hub-models/{kind}/{owner}/v{version}/{Path(filename).as_posix()}"


def load_path(file: File, tmpdir: object = None) -> str:
    """Return where the file is; an address is looked for as an asset is."""
    if isinstance(file, CachedWebAsset):
        return str(file.fetch())
    if str(file).startswith(("http://", "https://")):
        return str(CachedWebAsset(str(file), url_source(str(file))).fetch())
    return str(file)


def load_torch(pt: File) -> Any:
    """Return what a checkpoint holds."""
    return torch.load(load_path(pt), map_location="cpu", weights_only=False)


def load_numpy(file: File) -> Any:
    """Return an array."""
    return np.load(load_path(file))


def load_image(image: File, verbose: bool = False, desc: str = "image") -> Any:
    """Return a picture, as Pillow opens it."""
    from PIL import Image

    return Image.open(load_path(image))


def load_json(json_filepath: File) -> Any:
    """Return what a JSON file holds."""
    return json.loads(Path(load_path(json_filepath)).read_text("utf-8"))


def load_yaml(yaml_filepath: File) -> Any:
    """Return what a YAML file holds."""
    import yaml

    return yaml.safe_load(Path(load_path(yaml_filepath)).read_text("utf-8"))


def load_raw_file(filepath: File) -> str:
    """Return a file's text."""
    return Path(load_path(filepath)).read_text("utf-8")


def callback_with_retry(num_retries: int, callback: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Call once: nothing here gets better by waiting."""
    return callback(*args, **kwargs)


@contextlib.contextmanager
def qaihm_temp_dir(debug_base_dir: str | None = None) -> Iterator[str]:
    """Give a folder to write in."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


def maybe_clone_git_repo(git_file_path: str, commit_hash: str, *args: object, **kwargs: object) -> Path:
    """Return a copy of the clone that the entry brings, which models change before they use it."""
    clone = install_source().clone(git_file_path, commit_hash)
    return Path(shutil.copytree(clone, Path(tempfile.mkdtemp(), clone.name)))


@contextlib.contextmanager
def SourceAsRoot(  # noqa: N802  # the library's name
    source_repo_url: str,
    source_repo_commit_hash: str,
    source_repo_name: str,
    source_repo_version: int | str,
    *args: object,
    source_root_subdir: str | None = None,
    **kwargs: object,
) -> Iterator[str]:
    """Let imports be found in a clone first, and be in its folder, meanwhile."""
    root = str(maybe_clone_git_repo(source_repo_url, source_repo_commit_hash) / (source_root_subdir or ""))
    before = Path.cwd()
    sys.path.insert(0, root)
    os.chdir(root)
    try:
        yield root
    finally:
        os.chdir(before)
        sys.path.remove(root)


def find_replace_in_repo(repo_path: str, filepaths: str | list[str], find_str: str, replace_str: str) -> None:
    """Replace a text in files of a clone."""
    for filepath in [filepaths] if isinstance(filepaths, str) else filepaths:
        path = Path(repo_path, filepath)
        path.write_text(path.read_text().replace(find_str, replace_str))


def _unpacked(archive: Path) -> Path:
    folder = Path(tempfile.mkdtemp())
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)  # noqa: S202  # Python keeps members inside
    elif archive.name.endswith(ARCHIVES):
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="data")  # nothing outside the folder
    else:
        raise ValueError(f"{archive.name} is not an archive")
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder
