"""The address that limits count: chosen by the network and our own proxies, never by the sender."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from competition.accounts.addresses import UNKNOWN, client_address


def address(settings: Settings, *, proxies: int, remote: str = "192.0.2.1", forwarded: str = "") -> str:
    settings.PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, **headers))


@pytest.mark.parametrize("forwarded", ["198.51.100.7", "198.51.100.7, 198.51.100.8", "nonsense"])
def test_without_a_proxy_the_header_is_not_believed(settings: Settings, forwarded: str) -> None:
    assert address(settings, proxies=0, forwarded=forwarded) == "192.0.2.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "198.51.100.7,203.0.113.9:4711", "203.0.113.9"),
        (1, "198.51.100.7, [2001:db8:1:2:3::4]:4711", "2001:db8:1:2::/64"),
    ],
)
def test_what_the_sender_wrote_stands_before_the_entries_of_our_proxies(
    settings: Settings, proxies: int, forwarded: str, expected: str
) -> None:
    assert address(settings, proxies=proxies, forwarded=forwarded) == expected


@pytest.mark.parametrize("forwarded", ["", "nonsense", "198.51.100.7, ", "1" * 5000])
def test_without_a_readable_entry_the_address_of_the_connection_counts(
    settings: Settings, forwarded: str
) -> None:
    assert address(settings, proxies=1, forwarded=forwarded) == "192.0.2.1"


def test_fewer_entries_than_proxies_are_the_senders_own(settings: Settings) -> None:
    assert address(settings, proxies=2, forwarded="198.51.100.7") == "192.0.2.1"


@pytest.mark.parametrize("remote", ["2001:db8:1:2::1", "2001:db8:1:2:ffff::"])
def test_all_addresses_of_one_ipv6_line_count_as_one(settings: Settings, remote: str) -> None:
    assert address(settings, proxies=0, remote=remote) == "2001:db8:1:2::/64"


def test_an_ipv4_address_counts_alike_through_an_ipv6_socket(settings: Settings) -> None:
    assert address(settings, proxies=0, remote="::ffff:192.0.2.1") == "192.0.2.1"


def test_a_connection_without_an_address_still_has_a_name(settings: Settings) -> None:
    assert address(settings, proxies=0, remote="") == UNKNOWN
