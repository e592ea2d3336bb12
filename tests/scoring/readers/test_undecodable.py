"""Which rows are told of to whom: all rows, in their order, the first ones where there are many."""

import re

import pytest

from scoring.readers.undecodable import Failed, UndecodableRows


def failed(row: int) -> Failed:
    return Failed(row=row, file=f"{row}.png", why=f"reason {row}")


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:,\d{3})*", text)


def test_rows_stand_in_their_order_whoever_failed_first() -> None:
    rows = UndecodableRows("image", [failed(3), failed(1), failed(2)])

    assert numbers(str(rows)) == ["1", "2", "3"]
    assert [each.row for each in rows.failed] == [1, 2, 3]


@pytest.mark.parametrize(("count", "more"), [(2, []), (20, []), (21, ["1"]), (1_520, ["1,500"])])
def test_twenty_rows_are_named_and_the_others_counted(count: int, more: list[str]) -> None:
    rows = UndecodableRows("image", map(failed, range(1, count + 1)))

    assert numbers(str(rows)) == [*map(str, range(1, min(count, 20) + 1)), *more]
    assert len(rows.named().splitlines()) == 1 + min(count, 20) + len(more)


def test_the_owner_reads_each_file_and_why_it_failed() -> None:
    _, first, second = UndecodableRows("image", [failed(1), failed(2)]).named().splitlines()

    assert "1.png" in first
    assert "reason 1" in first
    assert "2.png" in second


def test_hidden_files_are_not_named_to_everybody() -> None:
    assert "png" not in str(UndecodableRows("image", [failed(1), failed(2)]))
