"""What `podium describe` prints, from a report."""

import pytest
import yaml

from scoring.cli.describe import in_megabytes, in_millions, technical_details
from scoring.contracts import Format, ScoreReport, Usage, Verdict
from scoring.tracks import load_track


def test_the_details_are_yaml_with_what_was_measured() -> None:
    usage = Usage(parameters=2_542_856, trainable_parameters=1, macs=56_510_400, macs_by_counter={})
    report = ScoreReport(
        verdict=Verdict.ACCEPTED, format=Format.QAIHUB, track="t", benchmark=None, usage=usage
    )

    text = technical_details(report, load_track("qaihub-classification").spec)

    assert yaml.safe_load(text) == {
        "technical_details": {
            "Input resolution": "224x224",
            "Number of parameters": "2.54M",
            "Model size (float)": f"{4 * 2_542_856 / 2**20:.3g} MB",
            "Number of MACs": "56.5M",
        }
    }


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0"), (999, "999"), (1_000, "1K"), (11_689_512, "11.7M"), (4_089_184_256, "4.09G")],
)
def test_counts_keep_three_digits(count: int, words: str) -> None:
    assert in_millions(count) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (1_023, "1023 B"), (1_024, "1 KB"), (46_758_048, "44.6 MB")]
)
def test_sizes_are_in_units_of_1024(count: int, words: str) -> None:
    assert in_megabytes(count) == words
