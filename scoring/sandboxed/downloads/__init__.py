"""What a model downloads while it loads is found in its entry.

`Brought` finds it. `install` makes the functions that people download weights with ask there: those of
torch.hub (and so torchvision's and timm's), of huggingface_hub (and so timm's and transformers'), and
Python's own. AI Hub's are our own version, in `scoring.sandboxed.qaihub`. What is found nowhere raises
`NotBrought`, which says what was asked for.
"""

from __future__ import annotations

from scoring.sandboxed.downloads.install import from_folder, install, install_source
from scoring.sandboxed.downloads.source import Brought, Source, repository_name, url_source
from scoring.sandboxed.missing import NotBrought

__all__ = [
    "Brought",
    "NotBrought",
    "Source",
    "from_folder",
    "install",
    "install_source",
    "repository_name",
    "url_source",
]
