"""Sandboxes chosen by name, and which of them a worker may use."""

import pytest

from scoring.errors import Fault
from scoring.sandbox import BACKENDS, open_for_strangers, open_sandbox, why_unfit_for_strangers
from scoring.sandbox.trial import trial_failure


@pytest.mark.parametrize("name", BACKENDS)
def test_workers_may_use_what_isolates_and_nothing_else(name: str) -> None:
    assert BACKENDS[name].for_strangers == open_sandbox(name).isolated


def test_a_worker_opens_a_sandbox_that_isolates() -> None:
    assert open_for_strangers("bubblewrap").isolated


@pytest.mark.parametrize("name", ["unconfined", "fake", "Bubblewrap"])
def test_a_worker_opens_no_other(name: str) -> None:
    with pytest.raises(Fault, match=name):
        open_for_strangers(name)


def test_what_may_be_chosen_is_told() -> None:
    assert why_unfit_for_strangers("docker").endswith("choose one of: bubblewrap")


def test_the_trial_runs_in_any_sandbox() -> None:
    assert trial_failure("unconfined") == ""
