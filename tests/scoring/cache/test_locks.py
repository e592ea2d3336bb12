"""Locks on files that may be removed by who holds them."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from scoring.cache.locks import at_once, exclusive, shared


class GivenUp(Exception):
    pass


def give_up() -> None:
    raise GivenUp


def never() -> None:
    pytest.fail("nobody had to wait")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "item.lock"


def test_two_share_a_lock(path: Path) -> None:
    with shared(path, tick=never), shared(path, tick=never):
        assert path.exists()


@pytest.mark.parametrize(("first", "second"), [(exclusive, shared), (shared, exclusive), (exclusive,) * 2])
def test_who_wants_a_lock_alone_waits_for_others_and_they_for_it(
    path: Path, first: Callable[..., ExitStack], second: Callable[..., ExitStack]
) -> None:
    with first(path, tick=never), pytest.raises(GivenUp), second(path, tick=give_up):
        pytest.fail("both had the lock")


def test_a_lock_is_given_back(path: Path) -> None:
    with exclusive(path, tick=never):
        pass

    with exclusive(path, tick=never):
        assert path.exists()


@pytest.mark.parametrize("holder", [exclusive, shared])
def test_at_once_has_a_lock_only_while_nobody_else_does(path: Path, holder: Callable[..., ExitStack]) -> None:
    with holder(path, tick=never), at_once(path) as mine:
        assert not mine

    with at_once(path) as mine:
        assert mine


def test_who_waited_for_a_lock_file_that_was_removed_takes_the_new_one(path: Path) -> None:
    path.parent.mkdir()
    holder = ExitStack()
    holder.enter_context(at_once(path))

    def remove_and_let_go() -> None:
        path.unlink()
        holder.close()

    with exclusive(path, tick=remove_and_let_go), at_once(path) as mine:
        assert path.exists()
        assert not mine
