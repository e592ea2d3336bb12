"""Data folders as the site and the command line look at them before they use them."""

from pathlib import Path

from scoring.contracts import Reader
from scoring.data.dataset import check_contents
from scoring.data.labels import LabelTable, read_labels


def checked(folder: Path, reader: Reader = Reader.IMAGE) -> LabelTable:
    """Return the table of a folder whose files are looked at too; raises `DatasetProblem`."""
    table = read_labels(folder)
    check_contents(folder, table, reader)
    return table


def split_sizes(table: LabelTable) -> tuple[int, int]:
    """Return how many public and private rows there are."""
    private = sum(row.private for row in table.rows)
    return len(table.rows) - private, private
