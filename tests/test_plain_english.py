"""What people read sounds like English: turns of phrase that once made messages and docs read as translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scoring.codes import CODES

ROOT = Path(__file__).parents[1]
PLAINER = {
    r"\b(?:is|are|was|were|be) no (?!longer\b)": "is not a …, has no …, there is no …",
    r"\bnot to be had\b": "not available, without",
    r"\bso (?:many|much) (?:passes|frames|bytes)\b": "this many",
    r"\bis (?:told|said) (?:by|so)\b": "say who tells whom",
    r"\b(?:stands?|stood) (?:beside|there)\b": "is next to, appears",
    r"\blooked into\b": "accepted, checked",
    r"\bof ones own\b|\bof one's own\b": "your own",
    r"\b[Ww]here there (?:is|are) (?:no|none)\b": "if there is no, without",
}
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("templates/**/*.html")])


def odd_phrases(text: str) -> list[str]:
    """Return each odd phrase with what to write in its place; an existential “there is no” is fine."""
    plain = re.sub(r"\b[Tt]here (?:is|are|was|were) no\b", "", text)
    return [
        f"{found.group()}: write “{better}”"
        for phrase, better in PLAINER.items()
        for found in re.finditer(phrase, plain)
    ]


@pytest.mark.parametrize("code", CODES)
def test_a_code_speaks_plain_english(code: str) -> None:
    assert odd_phrases(f"{CODES[code].message} {CODES[code].hint}") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_speaks_plain_english(page: Path) -> None:
    assert odd_phrases(page.read_text("utf-8")) == []


@pytest.mark.parametrize("phrase", ["“x” is no target.", "bubblewrap is not to be had", "it was looked into"])
def test_an_odd_phrase_is_found(phrase: str) -> None:
    assert odd_phrases(phrase)


@pytest.mark.parametrize("phrase", ["There is no limit.", "It is no longer open.", "The track has no limit."])
def test_plain_english_passes(phrase: str) -> None:
    assert odd_phrases(phrase) == []
