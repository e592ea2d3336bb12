"""The worker bounds its cache, says what it removed, and goes on when it cannot."""

import logging
from pathlib import Path

import pytest

from scoring.cache.locks import at_once
from scoring.worker.cache_size import trim_cache

SIZE = 500


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / f"{'a' * 40}.npy").write_bytes(bytes(SIZE))
    return tmp_path


@pytest.fixture(autouse=True)
def _every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def told(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, object]]:
    return {record.message: record.fields for record in caplog.records}


def test_what_was_removed_is_logged(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    trim_cache(cache, max_bytes=0)

    assert told(caplog) == {"cache_trimmed": {"removed": 1, "kept_bytes": 0, "freed_bytes": SIZE}}


def test_a_cache_that_fits_is_not_worth_a_line(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    trim_cache(cache, max_bytes=SIZE)

    assert told(caplog) == {}


def test_a_cache_in_use_that_is_too_large_is_a_warning(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    with at_once(cache / "trim.lock"):
        trim_cache(cache, max_bytes=SIZE - 1)

    assert told(caplog) == {
        "cache_over_its_size": {"max_bytes": SIZE - 1, "kept_bytes": SIZE, "freed_bytes": 0}
    }


def test_a_cache_that_cannot_be_read_stops_nothing(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    (cache / "trim.lock").mkdir()

    trim_cache(cache, max_bytes=0)

    assert told(caplog) == {"cache_not_trimmed": {"error": "Is a directory"}}
