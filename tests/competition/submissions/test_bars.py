import pytest

from competition.submissions.bars import bars, budgets_of, exceeded

USAGE = {"parameters": 30, "macs": 50, "package_bytes": 7}


def over(**budgets):
    return [bar.is_over for bar in bars(USAGE, budgets)]


def test_parameters_may_reach_their_budget_and_macs_may_not():
    assert over(max_parameters=30, max_macs=50) == [False, True, False]


@pytest.mark.parametrize(
    ("name", "place"), [("max_parameters", 0), ("max_macs", 1), ("max_package_bytes", 2)]
)
def test_one_above_the_budget_is_over(name, place):
    used = tuple(USAGE.values())[place]

    assert over(**{name: used - 1})[place]


def test_without_a_budget_nothing_is_over_and_there_is_no_percentage():
    assert over() == [False, False, False]
    assert bars(USAGE, {})[0].percent is None


def test_the_percentage_is_rounded_down():
    assert bars(USAGE, {"max_macs": 51})[1].percent == 98


def test_a_bar_is_filled_as_far_as_its_budget_goes():
    filled = [bar.filled_percent for bar in bars(USAGE, {"max_parameters": 60, "max_macs": 5})]

    assert filled == [50, 100, 0]


def test_a_rejections_numbers_become_bars_and_other_findings_do_not():
    findings = [
        {"code": "wrapping_folder", "path": "x", "facts": {}},
        {"code": "macs_over_budget", "path": "", "facts": {"found": 9, "allowed": 5, "counter": "dispatch"}},
    ]

    (bar,) = exceeded(findings)

    assert (bar.title, bar.used, bar.allowed, bar.is_over) == ("MACs per sample", 9, 5, True)


@pytest.mark.parametrize("package_format", ["onnx", "cvpr-zip"])
def test_files_of_every_format_are_bounded_by_the_parameters(package_format):
    spec = {"formats": [package_format], "budgets": {"max_parameters": 30, "max_package_bytes": None}}

    assert bars(USAGE, budgets_of(spec))[2].allowed == 4 * 30 + 4 * 2**20


def test_without_a_budget_the_limit_on_unpacking_bounds_the_files():
    spec = {"formats": ["onnx"], "budgets": {}, "archive_limits": {"max_unpacked_bytes": 999}}

    assert bars(USAGE, budgets_of(spec))[2].allowed == 999


def test_the_tracks_own_budget_of_bytes_stands_before_both():
    spec = {"formats": ["onnx"], "budgets": {"max_parameters": 30, "max_package_bytes": 500}}

    assert bars(USAGE, budgets_of(spec))[2].allowed == 500
