from datetime import UTC, datetime, timedelta, timezone

import pytest

from competition.tracks.templatetags.podium import (
    binary_bytes,
    class_number,
    command,
    detail_name,
    detail_value,
    duration,
    in_bytes,
    moment,
    short_number,
    ticks,
)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1_000, "1 k"), (1_819_066_368, "1.819 G"), (5e9, "5 G")]
)
def test_counts_get_a_decimal_prefix(value, text):
    assert short_number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0 bytes"), (512, "512 bytes"), (46_802_113, "46.8 MB")])
def test_sizes_are_decimal(value, text):
    assert in_bytes(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(512, "512 bytes"), (512 * 2**20, "512 MiB"), (3 * 2**29, "1.5 GiB")]
)
def test_limits_are_binary(value, text):
    assert binary_bytes(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0 s"), (0.004, "under 0.1 s"), (2.31, "2.3 s"), (48.4, "48 s"),
     (60, "1 min"), (300, "5 min"), (125, "2 min 5 s"), (3_600, "1 h"), (3_725, "1 h 2 min")],
)  # fmt: skip
def test_durations_are_in_words(seconds, text):
    assert duration(seconds) == text


def test_a_moment_is_written_in_utc_whatever_its_zone():
    east = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))

    assert moment(east) == moment(datetime(2026, 3, 1, 10, 0, tzinfo=UTC))
    assert 'datetime="2026-03-01T10:00:00+00:00"' in moment(east)
    assert "2026-03-01 10:00 UTC" in moment(east)


def test_a_missing_moment_has_its_own_words():
    assert moment(None, "never") == "never"


def test_backticks_become_code_and_the_rest_is_escaped():
    assert ticks("run `a<b` & <i>") == "run <code>a&lt;b</code> &amp; &lt;i&gt;"


def test_a_command_is_told_word_by_word_and_escaped():
    assert command("podium check <a>") == "<span>podium</span> <span>check</span> <span>&lt;a&gt;</span>"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("iou_7", "IoU of class 7"),
        ("cross_entropy", "cross entropy"),
        ("map50", "mAP@.50"),
        ("correct", "correct"),
    ],
)
def test_a_number_beside_a_score_has_a_readable_name(name, words):
    assert detail_name(name) == words


def test_an_iou_has_the_name_of_its_class_where_there_is_one():
    assert [detail_name(name, ["paper"]) for name in ("iou_0", "iou_1")] == [
        "IoU of 0 paper",
        "IoU of class 1",
    ]


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("iou_0", 0.98472, "0.9847"),
        ("iou_1", 1.0, "1.0000"),
        ("mcc", -0.5, "-0.5000"),
        ("threshold", 0.9999871, "0.999987"),
        ("pixels", 3_110_400.0, "3,110,400"),
        ("tp", 2.5, "2.5"),
        ("fp", 0.0, "0"),
    ],
)
def test_a_number_beside_a_score_is_as_exact_as_the_score(name, number, text):
    assert detail_value(name, number) == text


def test_a_class_has_its_number_and_its_name():
    assert class_number("1", ["cat", "<dog>"]) == '1 <span class="class-name">&lt;dog&gt;</span>'


@pytest.mark.parametrize("label", ["2", "-1", "day"])
def test_a_class_without_a_name_is_its_number(label):
    assert class_number(label, ["cat", "dog"]) == label
