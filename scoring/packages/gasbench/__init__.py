"""The `gasbench` format: `model_config.yaml`, `model.py` with `load_model`, safetensors weights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from scoring.contracts import (
    Finding,
    Format,
    InputContract,
    Mismatch,
    OutputContract,
    Package,
    Reader,
    Settled,
    StaticCounts,
    TrackSpec,
    Unpacked,
)
from scoring.errors import Rejected
from scoring.packages.gasbench.config import (
    Config,
    InvalidConfig,
    ignored_fields,
    parse_config,
    stated_weights,
)
from scoring.packages.gasbench.load_model import load_model_problems
from scoring.packages.gasbench.scan import blocked
from scoring.packages.gasbench.weights import DEFAULT_INDEX, chosen_weights, files_of
from scoring.packages.plain_yaml import InvalidYaml, read_mapping
from scoring.packages.python_source import parse
from scoring.packages.safetensors_header import InvalidWeights, read_header
from scoring.packages.unknown_fields import ignored_finding
from scoring.packages.weight_values import find_not_finite
from scoring.packages.wrapping import match_by_file, own_paths

CONFIG: Final = "model_config.yaml"
MAIN: Final = "model.py"
WEIGHTS_SUFFIX: Final = ".safetensors"
OTHER_WEIGHTS: Final = frozenset([".pt", ".pth", ".bin", ".ckpt", ".onnx"])
MAX_FINDINGS: Final = 100


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with `model_config.yaml` at its root, or inside the one folder that wraps everything."""
    answer = match_by_file(unpacked, Format.GASBENCH, name=CONFIG, main=MAIN)
    if isinstance(answer, Mismatch) and not answer.findings and _has_other_files(unpacked):
        return replace(answer, findings=(_missing(CONFIG),))
    return answer


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Check configuration, weights and the signature of `load_model`; runs and loads nothing."""
    problems: list[Finding] = []
    raw, config = _config(package, track, problems)
    weights = config.model.weights_file if config else stated_weights(raw)
    warnings = [] if weights is None else list(_weights_warnings(package, weights, problems))
    warnings += _source_warnings(package, config, problems)
    if config:
        warnings += ignored_finding(CONFIG, ignored_fields(raw))
    if config and config.preprocessing.normalize:
        warnings.append(Finding(code="normalisation_left_to_model", path=CONFIG))
    if problems:
        raise Rejected(*problems[:MAX_FINDINGS], warnings=warnings)
    return tuple(warnings)


def settle(package: Package, track: TrackSpec) -> Settled:
    """Take height, width and frames from the configuration, and count what the weights hold."""
    config = parse_config(read_mapping(package.root / CONFIG), track)
    weights = chosen_weights(package.root, config.model.weights_file)
    headers = [read_header(package.root / name) for name in files_of(package.root, weights)]
    return Settled(
        track=replace(track, input=_input(config, track.input), output=_output(config, track.output)),
        options={"weights_file": weights, "arguments": config.model.arguments, "dtype": config.dtype},
        counts=StaticCounts(parameters=sum(header.parameters for header in headers)),
    )


def _has_other_files(unpacked: Unpacked) -> bool:
    """Say whether the entry looks like this format but for its configuration."""
    return any(path.name == MAIN or path.suffix == WEIGHTS_SUFFIX for path in own_paths(unpacked))


def _config(
    package: Package, track: TrackSpec, problems: list[Finding]
) -> tuple[Mapping[Any, Any], Config | None]:
    """Return the configuration as plain values and, where it is right, as a `Config`."""
    raw: Mapping[Any, Any] = {}
    try:
        raw = read_mapping(package.root / CONFIG)
        return raw, parse_config(raw, track)
    except InvalidYaml as exc:
        problems.append(_invalid(CONFIG, str(exc)))
    except InvalidConfig as exc:
        problems += (_invalid(CONFIG, reason) for reason in exc.reasons)
    return raw, None


def _weights_warnings(package: Package, stated: str, problems: list[Finding]) -> Iterator[Finding]:
    weights = chosen_weights(package.root, stated)
    if not (package.root / weights).is_file():
        problems.append(_missing(weights, _other_weights(package)))
        return
    try:
        names = files_of(package.root, weights)
    except InvalidWeights as exc:
        problems += _invalid_weights(weights, exc)
        return
    for name in names:
        path = package.root / name
        if not path.is_file():
            problems.append(_missing(name, f" ({weights} names it)"))
            continue
        try:
            header = read_header(path)
        except InvalidWeights as exc:
            problems += _invalid_weights(name, exc)
            continue
        bad = find_not_finite(path, header)
        if bad:
            yield Finding(code="weights_not_finite", path=name, facts=vars(bad))


def _invalid_weights(path: str, invalid: InvalidWeights) -> list[Finding]:
    return [Finding(code="invalid_weights", path=path, facts={"why": why}) for why in invalid.reasons]


def _source_warnings(package: Package, config: Config | None, problems: list[Finding]) -> Iterator[Finding]:
    if not (package.root / package.main).is_file():
        problems.append(_missing(MAIN))
        return
    try:
        tree = parse(package)
    except Rejected as refused:
        problems += refused.findings
        return
    # Without a right configuration nobody knows which arguments come.
    arguments = config.model.arguments if config else None
    problems += (_invalid(MAIN, why) for why in load_model_problems(tree, arguments))
    found = blocked(tree)
    if found:
        yield Finding(code="blocked_by_gasbench", path=MAIN, facts={"found": ", ".join(found)})


def _input(config: Config, contract: InputContract) -> InputContract:
    if contract.reader is Reader.AUDIO:
        return contract
    stated = config.preprocessing
    sides: tuple[int, ...] = (3, *stated.size)
    if contract.reader is Reader.VIDEO:
        sides = (stated.frames, *sides)
        contract = replace(contract, frame_rate=stated.frame_rate or contract.frame_rate)
    pairs = zip(contract.shape, sides, strict=True)
    return replace(contract, shape=tuple(own if fixed is None else fixed for fixed, own in pairs))


def _output(config: Config, contract: OutputContract) -> OutputContract:
    """Take the number of logits from the configuration, which was checked for what the track can take."""
    width = config.model.num_classes or contract.width
    return replace(contract, width=width, classes=contract.width if width > contract.width else 0)


def _other_weights(package: Package) -> str:
    found = _files(package, {WEIGHTS_SUFFIX})
    if len(found) > 1:
        return f" (found {', '.join(found)[:200]}; put all weights into one file, or add {DEFAULT_INDEX})"
    if found:
        return f" (found {found[0][:200]}; name it in model.weights_file)"
    others = _files(package, OTHER_WEIGHTS)
    return f" (found {', '.join(others)[:200]}; weights must be .safetensors)" if others else ""


def _files(package: Package, suffixes: Collection[str]) -> list[str]:
    paths = (path for path in package.root.rglob("*") if path.suffix in suffixes)
    return sorted(str(path.relative_to(package.root)) for path in paths)


def _missing(name: str, more: str = "") -> Finding:
    return Finding(code="missing_file", path=name, facts={"expected": f"{name}{more}"})


def _invalid(path: str, why: str) -> Finding:
    return Finding(code="invalid_config", path=path, facts={"why": why})
