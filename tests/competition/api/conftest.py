"""Callers of the API, and a cache of this test's own, so that throttling forgets."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from competition.accounts.tokens import make_token


@pytest.fixture(autouse=True)
def _forget_earlier_requests() -> None:
    cache.clear()


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()


@pytest.fixture
def caller_of(db: None) -> Callable[[User], APIClient]:
    """Return a function that makes a caller with a user's token."""

    def make(user: User) -> APIClient:
        return APIClient(HTTP_AUTHORIZATION=f"Token {make_token(owner=user, name='test')}")

    return make


@pytest.fixture
def as_alice(caller_of: Callable[[User], APIClient], alice: User) -> APIClient:
    return caller_of(alice)


@pytest.fixture
def as_bob(caller_of: Callable[[User], APIClient], bob: User) -> APIClient:
    return caller_of(bob)


@pytest.fixture
def as_staff(caller_of: Callable[[User], APIClient], staff: User) -> APIClient:
    return caller_of(staff)


@pytest.fixture
def entry() -> SimpleUploadedFile:
    return SimpleUploadedFile("net.zip", b"an entry")
