"""Tell from an exception what of ours failed."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from typing import Final

from django.db import InterfaceError, OperationalError

from competition.storage import LIBRARIES
from scoring.errors import Cause, Fault

OF_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
OF_LIBRARY: Final[Mapping[str, Cause]] = {
    **dict.fromkeys(sorted(LIBRARIES), Cause.STORAGE),
    "kombu": Cause.BROKER,
    "amqp": Cause.BROKER,
    "redis": Cause.BROKER,
}
"""Whose trouble the exceptions of a library tell of; which of them are installed depends on the settings."""


def cause_of(error: BaseException) -> Cause:
    """Return the cause that the exception names, or the first one known among those that led to it."""
    known = (_own_cause(each) for each in _chain(error))
    return next((cause for cause in known if cause is not Cause.UNKNOWN), Cause.UNKNOWN)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _own_cause(error: BaseException) -> Cause:
    if isinstance(error, Fault):
        return error.cause
    if isinstance(error, OperationalError | InterfaceError):
        return Cause.DATABASE
    if isinstance(error, OSError) and error.errno in OF_DISK:
        return Cause.DISK
    return OF_LIBRARY.get(type(error).__module__.split(".")[0], Cause.UNKNOWN)
