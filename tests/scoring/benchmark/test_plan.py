"""The sample plan: who is chosen, in which order, and that nothing but seed and names decides."""

import hashlib
import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.benchmark.plan import Mode, first_of_each_group, make_plan, share_out
from scoring.contracts import Reader
from scoring.data.labels import LabelRow, LabelTable


def table(**sizes: int) -> LabelTable:
    return table_of(sizes)


def table_of(sizes: dict[str, int]) -> LabelTable:
    names = [(group, f"{group}/{number}.png") for group, size in sizes.items() for number in range(size)]
    rows = tuple(
        LabelRow(number=number, file=file, label=number % 2, group=group)
        for number, (group, file) in enumerate(names, start=1)
    )
    return LabelTable(rows=rows, weighted=False, grouped=True)


def plan_of(rows: LabelTable, mode: Mode = Mode.DEBUG, reader: Reader = Reader.IMAGE, seed: int = 42):
    return make_plan(rows, mode=mode, reader=reader, seed=seed)


@pytest.mark.parametrize(
    ("mode", "reader", "most"),
    [
        (Mode.DEBUG, Reader.IMAGE, 100),
        (Mode.DEBUG, Reader.VIDEO, 50),
        (Mode.DEBUG, Reader.AUDIO, 50),
        (Mode.SMALL, Reader.IMAGE, 5_000),
        (Mode.SMALL, Reader.VIDEO, 5_000),
        (Mode.SMALL, Reader.AUDIO, 5_000),
        (Mode.FULL, Reader.IMAGE, 55_000),
        (Mode.FULL, Reader.VIDEO, 26_000),
        (Mode.FULL, Reader.AUDIO, 37_000),
        (Mode.ALL, Reader.IMAGE, 56_400),
    ],
)
def test_a_mode_plans_its_number_of_samples(large: LabelTable, mode: Mode, reader: Reader, most: int) -> None:
    assert len(plan_of(large, mode, reader).rows) == most


@pytest.fixture(scope="module")
def large() -> LabelTable:
    """More samples than any mode plans, in groups of which none reaches its bound."""
    return table_of({"one-gasstation": 8_400} | {f"g{number}": 1_600 for number in range(30)})


@pytest.mark.parametrize(
    ("group", "most"),
    [("a", 2_000), ("a-holdout-1", 2_000), ("gasstation", 10_000), ("My-GASStation", 10_000)],
)
def test_a_group_gives_no_more_than_its_bound(group: str, most: int) -> None:
    plan = plan_of(table_of({group: most + 50, "other": 10}), Mode.FULL)

    assert Counter(row.group for row in plan.rows) == {group: most, "other": 10}


def test_rows_without_groups_are_bounded_by_the_run_alone() -> None:
    rows = replace(table_of({"": 5_100}), grouped=False)

    assert len(plan_of(rows, Mode.SMALL).rows) == 5_000


def test_all_samples_are_planned_whatever_the_group() -> None:
    assert len(plan_of(table(a=2_100, gasstation=3), Mode.ALL).rows) == 2_103


def test_a_gasstation_group_gives_five_times_as_many() -> None:
    plan = plan_of(table(a=500, b=500, gasstation=500), Mode.DEBUG, Reader.IMAGE)
    counts = Counter(row.group for row in plan.rows)

    assert sum(counts.values()) == 100
    assert counts["gasstation"] == pytest.approx(100 * 5 / 7, abs=5)
    assert abs(counts["a"] - counts["b"]) <= 1


def test_gasbenchs_floors_are_scaled_down_so_that_a_small_run_keeps_its_size() -> None:
    """98 groups of 100 and 5 of 500 samples at least would be 12,300 samples instead of 5,000."""
    regular = {f"g{number}": 2_000 for number in range(98)}
    fresh = {f"gasstation{number}": 10_000 for number in range(5)}

    counts = Counter(row.group for row in plan_of(table_of(regular | fresh), Mode.SMALL).rows)

    unit = 5_000 // (98 + 5 * 5)
    assert sum(counts.values()) == 5_000
    assert {counts[group] for group in regular} <= {unit, unit + 1}
    assert all(5 * unit <= counts[group] <= 5 * (unit + 1) for group in fresh)


@pytest.mark.parametrize("regular", [2, 20, 200])
def test_gasbenchs_floors_hold_where_a_run_has_room_for_them(regular: int) -> None:
    sizes = {f"g{number}": 1_000 for number in range(regular)} | {"gasstation": 6_000}
    counts = Counter(row.group for row in plan_of(table_of(sizes), Mode.FULL, Reader.VIDEO).rows)

    assert min(counts[group] for group in sizes if group != "gasstation") >= 100
    assert counts["gasstation"] >= 500


def test_a_dataset_smaller_than_the_mode_is_planned_whole() -> None:
    plan = plan_of(table(a=7, b=3))

    assert sorted(row.file for row in plan.rows) == sorted(row.file for row in table(a=7, b=3).rows)


def test_no_sample_is_planned_twice() -> None:
    plan = plan_of(table(a=80, b=500, c=30))

    assert max(Counter(row.file for row in plan.rows).values()) == 1


def test_a_small_group_gives_all_and_the_others_share_the_rest_evenly() -> None:
    plan = plan_of(table(a=10, b=500, c=500))

    assert Counter(row.group for row in plan.rows) == {"a": 10, "b": 45, "c": 45}


def test_many_groups_do_not_take_a_run_past_its_number_of_samples() -> None:
    plan = plan_of(table(**{f"g{number}": 100 for number in range(300)}))

    assert len(plan.rows) == 100
    assert set(Counter(row.group for row in plan.rows).values()) == {1}


def test_the_order_of_rows_in_the_table_changes_nothing() -> None:
    rows = table(a=60, b=90)
    turned = replace(rows, rows=rows.rows[::-1])

    assert plan_of(rows).digest() == plan_of(turned).digest()


def test_another_seed_chooses_and_orders_otherwise() -> None:
    one, other = plan_of(table(a=500), seed=1), plan_of(table(a=500), seed=2)

    assert {row.file for row in one.rows} != {row.file for row in other.rows}
    assert one.digest() != other.digest()


def test_the_order_does_not_follow_the_files_names() -> None:
    files = [row.file for row in plan_of(table(a=50)).rows]

    assert files != sorted(files)


@pytest.mark.parametrize("change", [{"label": 9}, {"weight": 2.0}, {"group": "b"}, {"file": "a/x.png"}])
def test_the_digest_covers_all_that_a_score_depends_on(change: dict[str, object]) -> None:
    rows = table(a=5)
    changed = replace(rows, rows=(replace(rows.rows[0], **change), *rows.rows[1:]))

    assert plan_of(rows).digest() != plan_of(changed).digest()


def test_the_digest_of_two_modes_differs_though_both_plan_the_same_samples() -> None:
    assert plan_of(table(a=5), Mode.SMALL).digest() != plan_of(table(a=5), Mode.FULL).digest()


def test_the_order_is_that_of_the_hash_of_seed_and_name() -> None:
    def rank(row: LabelRow) -> bytes:
        return hashlib.sha256(json.dumps([7, "order", row.file]).encode()).digest()

    assert list(plan_of(table(a=20), seed=7).rows) == sorted(table(a=20).rows, key=rank)


def test_seeds_for_different_purposes_differ_and_fit_what_torch_and_numpy_take() -> None:
    plan = plan_of(table(a=5))
    seeds = [plan.seed_of("chunk", number) for number in range(100)]

    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_first_of_each_group_are_the_first_in_the_plans_order() -> None:
    plan = plan_of(table(a=30, b=1))
    positions = first_of_each_group(plan, 2)

    groups = [row.group for row in plan.rows]
    first_two = [index for index, group in enumerate(groups) if group == "a"][:2]
    assert positions == tuple(sorted([*first_two, groups.index("b")]))


@given(
    st.dictionaries(
        st.text(max_size=3), st.tuples(st.integers(0, 60), st.sampled_from([1, 5])), min_size=1, max_size=12
    ),
    st.integers(0, 200),
)
def test_shares_are_as_even_as_sizes_and_weights_allow(groups: dict[str, tuple[int, int]], most: int) -> None:
    sizes = {group: size for group, (size, _) in groups.items()}
    weights = {group: weight for group, (_, weight) in groups.items()}

    shares = share_out(sizes, weights, most=most, seed=3)

    assert sum(shares.values()) == min(most, sum(sizes.values()))
    assert all(shares[group] <= size for group, size in sizes.items())
    # Whoever could give more has as many samples for each share as the largest has, but for the last one.
    largest = max(-(-shares[group] // weights[group]) for group in sizes)
    assert all(shares[group] >= min(size, (largest - 1) * weights[group]) for group, size in sizes.items())
