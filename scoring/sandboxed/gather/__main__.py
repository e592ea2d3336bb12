"""Builds the model of a folder once and writes down what that fetched, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch.hub

from scoring.contracts import Format, Outcome, Task
from scoring.sandboxed import downloads
from scoring.sandboxed.downloads.install import HUB
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.gather.fetched import Fetched
from scoring.sandboxed.gather.library import let_be_copied
from scoring.sandboxed.gather.trimming import Opened, trim
from scoring.sandboxed.refusal import Refusal
from scoring.sandboxed.torchvision_ops import declare_missing_operators

MAIN: Final = "model.py"


def gather(source: Fetched, package_format: Format, model_id: str, report: Path) -> None:
    """Build the model of the source's folder; what was fetched is told even if that fails."""
    folder, hub = source.root, source.root / HUB
    downloads.install(source, hub=hub)
    declare_missing_operators()
    opened, why = Opened(), ""
    try:
        with entry_failures(Outcome.LOAD_FAILED, Task.EXPORT):
            BUILD[package_format](folder, model_id)
    except Refusal as refusal:
        why = _why(refusal)
    else:
        trim(source.cloned, opened)
    _remove_links(hub)
    told = [{"path": path, "from": asked} for asked, path in source.kept.items()]
    report.write_text(json.dumps({"fetched": told, "why": why}))


def _why(refusal: Refusal) -> str:
    told = next(iter(refusal.facts.values()), refusal.outcome)
    if refusal.outcome is Outcome.NOT_INSTALLED:
        return f"{told} is not installed in the Python that builds it, and --environment names another"
    return str(told)


def _qaihub(folder: Path, model_id: str) -> None:
    from scoring.sandboxed.loaders.qaihub import import_class

    let_be_copied(folder, model_id)
    import_class(folder / MAIN, model_id).from_pretrained()


def _cvpr(folder: Path, model_id: str) -> None:
    from scoring.sandboxed.loaders.model_file import import_file

    import_file(folder / MAIN).Model()


BUILD: Final[Mapping[Format, Callable[[Path, str], None]]] = {Format.QAIHUB: _qaihub, Format.CVPR_ZIP: _cvpr}
"""How a model is built whose file may download; those of other formats bring their weights by their contract."""


def _remove_links(hub: Path) -> None:
    """Remove what torch took for its downloads: the files lie elsewhere in the folder."""
    for link in (hub / "checkpoints").glob("*"):
        if link.is_symlink():
            link.unlink()
    for folder in (hub / "checkpoints", hub):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


if __name__ == "__main__":
    _folder, _format, _model_id, _report = sys.argv[1:]
    _caches = (Path(torch.hub.get_dir(), "checkpoints"), Path.home() / ".qaihm")
    gather(Fetched(Path(_folder), caches=_caches), Format(_format), _model_id, Path(_report))
