"""Entries in pieces, over as many connections as it takes: begun, written, made a submission, or given up.

`beginning` checks all that can be checked before a byte is sent, and takes the room. `writing` puts a piece behind
those that came before. With the last one, `finishing` hands the file to the service that takes a form's upload.
`ending` removes what was stopped or forgotten.

Where participants may reach the store, they put the parts there themselves: `parts` signs the addresses.

How far an upload is, its row says: bytes beyond that are written again. A row moves on only after the disk has
taken the bytes, so that nothing is lost that was said to be there, whatever is killed when.
"""

from competition.submissions.resuming.beginning import begin
from competition.submissions.resuming.ending import end, remove_expired, without_row
from competition.submissions.resuming.files import has_file, remove_file
from competition.submissions.resuming.finishing import finish_parts
from competition.submissions.resuming.parts import go_past_the_site, part_bytes, received, sign, sizes
from competition.submissions.resuming.refusals import Damaged, Elsewhere, Incomplete, Lost, Occupied, TooLong
from competition.submissions.resuming.writing import Checksum, append

__all__ = [
    "Checksum",
    "Damaged",
    "Elsewhere",
    "Incomplete",
    "Lost",
    "Occupied",
    "TooLong",
    "append",
    "begin",
    "end",
    "finish_parts",
    "go_past_the_site",
    "has_file",
    "part_bytes",
    "received",
    "remove_expired",
    "remove_file",
    "sign",
    "sizes",
    "without_row",
]
