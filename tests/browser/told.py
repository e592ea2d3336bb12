"""What organisers tell of the believable competition: texts, a picture, dates, news; and competitions beside it."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw

from competition.tracks.models import Competition, Milestone, News, Picture
from competition.tracks.picture_files import put, written_anew

OVERVIEW = """\
Models are good at images like those they were trained on. This competition asks how they do on **others**: sketches,
night, noise, and things they have never been shown.

## What is scored

| Track | Task | Metric |
|---|---|---|
| 1 | 100 classes | accuracy |
| 2 | known or unknown | best F1 |

![Two of the hidden domains, drawn](domains)

## How to cite

```bibtex
@inproceedings{robust2022, title={Robust models}, year={2022}}
```
"""
DATA = """\
## Where it comes from

Two thousand photographs, half of which decide the final ranks.

## What you may train on

Anything public, with its source named.

## Files of the sample data

| file | holds |
|---|---|
| `labels.csv` | file, label, group |
| `images/` | JPEG, 3 × 224 × 224 |
"""
RULES = """\
1. One account for each person.
2. Entries are deterministic.
3. Winners publish their code under a [free licence](https://opensource.org/licenses).
"""


def draw(width: int = 1400, height: int = 560) -> ContentFile[bytes]:
    """Return a photograph's stand-in as an upload."""
    image = Image.new("RGB", (width, height), "#1d3557")
    pen = ImageDraw.Draw(image)
    for step in range(0, width, 56):
        pen.ellipse((step, height // 3, step + 180, height // 3 + 180), outline="#a8dadc", width=6)
    out = BytesIO()
    image.save(out, "JPEG")
    return ContentFile(out.getvalue(), "domains.jpg")


def picture(competition: Competition, name: str) -> Picture:
    """Add a picture to a competition as an upload would."""
    upload = draw()
    row = put(Picture(competition=competition, name=name), written_anew(upload, upload.size))
    row.save()
    return row


def tell(competition: Competition, now: datetime) -> None:
    """Tell everything of a competition that its organisers may tell."""
    competition.host = "Robust Vision Workshop"
    competition.prize = "€5,000 and a talk"
    competition.results_at = now + timedelta(days=31)
    competition.description, competition.about_data, competition.rules = OVERVIEW, DATA, RULES
    picture(competition, "domains")
    competition.save()
    Milestone.objects.create(competition=competition, name="Sample data", at=now - timedelta(days=3))
    Milestone.objects.create(competition=competition, name="Workshop", at=now + timedelta(days=40))
    for days, title in ((5, "Welcome"), (1, "More sample data")):
        News.objects.create(
            competition=competition,
            title=title,
            text="The second part of the **sample data** is on the page of the track.",
            published_at=now - timedelta(days=days),
        )
