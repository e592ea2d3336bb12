"""Where a group comes from, by its name alone."""

import pytest

from scoring.benchmark.provenance import Provenance, provenance


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("", Provenance.PUBLIC),
        ("celeb-df", Provenance.PUBLIC),
        ("holdout", Provenance.PUBLIC),
        ("real-video-holdout-a1b2c3d4", Provenance.HOLDOUT),
        ("Real-Image-Holdout-00000000", Provenance.HOLDOUT),
        ("gasstation-images", Provenance.GASSTATION),
        ("GasStation", Provenance.GASSTATION),
        ("gasstation-image-holdout-1", Provenance.HOLDOUT),
    ],
)
def test_a_name_tells_where_a_group_comes_from(group: str, expected: Provenance) -> None:
    assert provenance(group) is expected
