"""What tests of the admin share: addresses of a track, a form as a browser would post it, a zip to upload."""

from __future__ import annotations

import io
import zipfile
from html.parser import HTMLParser
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from competition.tracks.models import Track


def act(track: Track, name: str) -> str:
    return reverse(f"admin:tracks_track_{name}", args=[track.pk])


def change_page(track: Track) -> str:
    return reverse("admin:tracks_track_change", args=[track.pk])


class Fields(HTMLParser):
    """Collects what a browser would post of a page's form."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: dict[str, list[str]] = {}
        self.choosing = self.typing = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_tick = given.get("type") in ("checkbox", "radio")
        if tag == "input" and given.get("type") != "submit" and (not is_tick or "checked" in given):
            self.posted.setdefault(given["name"], []).append(given.get("value", "on" if is_tick else ""))
        elif tag == "select":
            self.choosing = given["name"]
        elif tag == "option" and "selected" in given:
            self.posted[self.choosing] = [given["value"]]
        elif tag == "textarea":
            self.typing = given["name"]
            self.posted[self.typing] = []

    def handle_data(self, data: str) -> None:
        if self.typing:
            self.posted[self.typing].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # Browsers drop the first line end, and send the others with carriage returns.
            text = "".join(self.posted[self.typing]).removeprefix("\n")
            self.posted[self.typing] = [text.replace("\n", "\r\n")]
            self.typing = ""


def fields_of(client: Client, address: str) -> dict[str, object]:
    """Return what the browser would post of the admin's form at an address if nobody changed anything."""
    page = Fields()
    page.feed(client.get(address).content.decode().partition('id="content-main"')[2])
    posted = {name: values if len(values) > 1 else "".join(values) for name, values in page.posted.items()}
    return {name: value for name, value in posted.items() if not name.startswith("_")}


def zipped(folder: Path) -> SimpleUploadedFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return SimpleUploadedFile("hidden.zip", content.getvalue())
