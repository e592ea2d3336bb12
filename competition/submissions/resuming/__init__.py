"""Entries in pieces, over as many connections as it takes: begun, written, made a submission, or given up.

`beginning` checks all that can be checked before a byte is sent, and takes the room. `writing` puts a piece behind
those that came before. With the last one, `finishing` hands the file to the service that takes a form's upload.
`ending` removes what was stopped or forgotten.

How far an upload is, its row says: bytes beyond that are written again. A row moves on only after the disk has
taken the bytes, so that nothing is lost that was said to be there, whatever is killed when.
"""

from competition.submissions.resuming.beginning import begin
from competition.submissions.resuming.ending import end, remove_expired, without_row
from competition.submissions.resuming.files import has_file, remove_file
from competition.submissions.resuming.refusals import Damaged, Elsewhere, Lost, Occupied, TooLong
from competition.submissions.resuming.writing import Checksum, append

__all__ = [
    "Checksum",
    "Damaged",
    "Elsewhere",
    "Lost",
    "Occupied",
    "TooLong",
    "append",
    "begin",
    "end",
    "has_file",
    "remove_expired",
    "remove_file",
    "without_row",
]
