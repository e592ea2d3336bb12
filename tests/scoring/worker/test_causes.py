"""What an exception tells of its cause."""

import errno

import boto3.exceptions
import botocore.exceptions
import kombu.exceptions
import pytest
from django.db import DataError, InterfaceError, OperationalError

from scoring.errors import Cause, Fault
from scoring.worker.causes import cause_of

S3_ERROR = botocore.exceptions.ClientError({"Error": {"Code": "500"}}, "HeadObject")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), Cause.DISK),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), Cause.DISK),
        (OSError(errno.EIO, "Input/output error"), Cause.DISK),
        (OSError(errno.EROFS, "Read-only file system"), Cause.DISK),
        (OSError(errno.EACCES, "Permission denied"), Cause.UNKNOWN),
        (S3_ERROR, Cause.STORAGE),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="x"), Cause.STORAGE),
        (boto3.exceptions.RetriesExceededError(S3_ERROR), Cause.STORAGE),
        (kombu.exceptions.OperationalError("refused"), Cause.BROKER),
        (OperationalError("server closed the connection"), Cause.DATABASE),
        (InterfaceError("connection already closed"), Cause.DATABASE),
        (DataError("value too long"), Cause.UNKNOWN),
        (Fault("the sandbox could not be set up", cause=Cause.SANDBOX), Cause.SANDBOX),
        (Fault("a defect"), Cause.UNKNOWN),
        (RuntimeError("a defect"), Cause.UNKNOWN),
    ],
)
def test_the_cause_of_an_exception(error: Exception, cause: Cause) -> None:
    assert cause_of(error) is cause


def test_a_fault_that_names_no_cause_has_that_of_what_led_to_it() -> None:
    fault = Fault("OSError on our side")
    fault.__cause__ = OSError(errno.ENOSPC, "No space left on device")

    assert cause_of(fault) is Cause.DISK


def test_a_cause_that_is_named_is_not_looked_for() -> None:
    fault = Fault("the entry cannot be fetched", cause=Cause.STORAGE)
    fault.__cause__ = OSError(errno.EIO, "Input/output error")

    assert cause_of(fault) is Cause.STORAGE
