"""How Chromium is started."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

ARGUMENTS = ("--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-dev-shm-usage")


def executable() -> str | None:
    """Return the browser's path, or None where there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright) -> Browser:
    """Start Chromium; root has no user namespace of its own for its sandbox."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(executable_path=executable(), args=[*ARGUMENTS, *sandbox])
