"""Puts a source in the place of the network, in this process."""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.response import addinfourl

import torch.hub

from scoring.sandboxed.downloads import hugging_face
from scoring.sandboxed.downloads.source import Brought, Source, url_source
from scoring.sandboxed.missing import NotBrought

HUB: Final = "hub"
"""The folder of an entry that holds clones for `torch.hub.load`, as torch's own hub folder does."""
_installed: list[Source] = []


def from_folder(folder: Path) -> None:
    """Let all downloads be found in the folder, without a network."""
    # Read when huggingface_hub is imported: it then never tries.
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Checkpoints are links into the entry, and nothing is written there.
    install(Brought(folder), hub=Path(tempfile.mkdtemp()))
    _link_clones(folder / HUB)


def install(source: Source, *, hub: Path) -> None:
    """Let downloads of libraries be asked of the source; torch's own are linked into the hub folder."""
    _installed[:] = [source]
    urllib.request.install_opener(urllib.request.build_opener(_Handler(source)))
    torch.hub.set_dir(hub)
    _replace_torch_hub(source)
    hugging_face.replace(source)


def install_source() -> Source:
    """Return the source that was installed last."""
    return _installed[0]


def _replace_torch_hub(source: Source) -> None:
    original = torch.hub.download_url_to_file

    def download_url_to_file(
        url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
    ) -> None:
        """Link the file to where it would be written; a name's checksum is that of the original, not checked."""
        place = Path(dst).expanduser()
        if Path(torch.hub.get_dir()) == place.parent:
            # A clone, as a zip, for `torch.hub.load`.
            original(url, dst, hash_prefix, progress)
            return
        found = source.get(url_source(url), lambda to: original(url, str(to), hash_prefix, progress))
        place.unlink(missing_ok=True)
        place.symlink_to(found)

    torch.hub.download_url_to_file = download_url_to_file


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Answers Python's own requests with files; where there is a network, those that ask for no file by its answer."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._network = urllib.request.build_opener()

    def http_open(self, req: urllib.request.Request) -> Any:
        """Answer with the file; raise `NotBrought` (a `URLError`'s reason for the caller) without one."""
        return self._answer(req)

    def https_open(self, req: urllib.request.Request) -> Any:
        """Do as for http."""
        return self._answer(req)

    def _answer(self, req: urllib.request.Request) -> Any:
        if self._source.has_network and (self._source.is_fetching or not _is_file(req)):
            return self._network.open(req)
        try:
            path = self._source.get(url_source(req.full_url), lambda to: self._download(req, to))
        except NotBrought as exc:
            raise urllib.request.URLError(exc) from exc  # type: ignore[attr-defined]  # where it is defined
        headers = HTTPMessage()
        headers["Content-Length"] = str(path.stat().st_size)
        answer = addinfourl(path.open("rb"), headers, req.full_url, 200)
        # What Python reads of every answer, and this class of its own lacks.
        answer.msg = "OK"  # type: ignore[attr-defined]
        return answer

    def _download(self, req: urllib.request.Request, to: Path) -> None:
        with self._network.open(req) as answer, to.open("wb") as file:
            shutil.copyfileobj(answer, file)


def _is_file(req: urllib.request.Request) -> bool:
    """Say whether a request is for a file of that name; a clone as a zip and what an API answers have none."""
    path = PurePosixPath(url_source(req.full_url))
    return req.get_method() == "GET" and path.suffix != "" and "zipball" not in path.parts


def _link_clones(brought: Path) -> None:
    """Let `torch.hub.load` find the clones that the entry brings, and ask nobody whether they are trusted."""
    hub = Path(torch.hub.get_dir())
    clones = list(_clones(brought))
    for clone in clones:
        (hub / clone.name).symlink_to(clone)
    if clones:
        (hub / "trusted_list").write_text(
            "".join(f"{'_'.join(clone.name.split('_')[:-1])}\n" for clone in clones)
        )


def _clones(brought: Path) -> Iterator[Path]:
    if brought.is_dir():
        yield from (
            path for path in sorted(brought.iterdir()) if path.is_dir() and path.name != "checkpoints"
        )
