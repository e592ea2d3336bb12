"""The `byom` format: a PyTorch model with config.yaml, mochi.json and export_artifacts/manifest.json.

Documents are read and compared; the .pt file is a zip of pickles, and nothing outside unpickles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from scoring.contracts import (
    BOX_FIELDS,
    BoxLayout,
    Finding,
    Format,
    InputContract,
    Mismatch,
    OutputContract,
    OutputKind,
    Package,
    Settled,
    TrackSpec,
    Unpacked,
)
from scoring.errors import Rejected
from scoring.packages.byom import fields
from scoring.packages.byom.agreement import agreement_findings, filename_problems, output_shape
from scoring.packages.byom.applied import applied
from scoring.packages.byom.documents import (
    CONFIG,
    MANIFEST,
    MOCHI,
    InvalidDocument,
    Mapping,
    problem,
    read_document,
)
from scoring.packages.byom.files import ARTIFACTS, file_findings, has_marks, misplaced, models_in
from scoring.packages.byom.processing import (
    Processing,
    columns_findings,
    ignored_keys,
    processing_problems,
    read_processing,
    threshold_findings,
)
from scoring.packages.byom.track import BOX_SIDES, columns_of, scores_more_classes, track_findings
from scoring.packages.unknown_fields import ignored_finding
from scoring.packages.wrapping import locate, own_paths

MAX_FINDINGS: Final = 100


def match(unpacked: Unpacked) -> Package | Mismatch:
    """Match an entry with mochi.json, the manifest or a .pt in export_artifacts/, wrapped in a folder or not.

    One of them is enough, so that `check` can name what else is missing.
    """
    place = locate(unpacked, has_marks)
    if place is None:
        where = misplaced(own_paths(unpacked))
        return Mismatch(why=f"it has neither {MOCHI} nor a model in {ARTIFACTS}/{where}")
    models = models_in(place.paths)
    return place.package(Format.BYOM, main=models[0] if models else MANIFEST)


def check(package: Package, track: TrackSpec) -> tuple[Finding, ...]:
    """Check the three documents alone, against each other, the .pt and the track; raise with all findings."""
    findings = list(file_findings(package))
    documents: dict[str, Mapping] = {}
    present = [path for path in (CONFIG, MOCHI, MANIFEST) if (package.root / path).is_file()]
    for path in present:
        try:
            documents[path] = read_document(package.root, path)
        except InvalidDocument as exc:
            findings.append(problem(path, str(exc)))
    findings.extend(_document_findings(documents, package, track))
    warnings = tuple(_warnings(documents, track))
    if findings:
        raise Rejected(*findings[:MAX_FINDINGS], warnings=warnings)
    return warnings


def settle(package: Package, track: TrackSpec) -> Settled:
    """Take the size, the normalisation and the channel order from the package, and what its loader needs."""
    config, mochi, manifest = (read_document(package.root, path) for path in (CONFIG, MOCHI, MANIFEST))
    processing = read_processing(mochi, manifest)
    stage = fields.first_stage(mochi)
    batch, *sides = stage["input_shape"]
    columns, answer = columns_of(config, mochi, manifest, track.output), output_shape(mochi, manifest)
    options: dict[str, object] = {
        "batch": batch,
        "architecture": (mochi.get("model_info") or {}).get("architecture"),
        "num_classes": columns or track.output.classes or track.output.width,
        "columns": columns,
        "postprocessing": processing.postprocessing,
        **processing.thresholds,
    }
    if answer is not None and scores_more_classes(answer.value, track.output):
        options["box_rows"] = answer.value[1]
    settled = replace(
        track,
        input=_input(track.input, tuple(sides), processing),
        output=_output(track.output, None if answer is None else answer.value),
    )
    return Settled(track=settled, options=options, applied=applied(settled, processing, options))


def _input(contract: InputContract, sides: tuple[int, ...], processing: Processing) -> InputContract:
    return replace(
        contract,
        shape=sides,
        channel_order=processing.channel_order or contract.channel_order,
        mean=processing.mean or contract.mean,
        std=processing.std or contract.std,
    )


def _output(contract: OutputContract, shape: list[int] | None) -> OutputContract:
    """Take the layout of boxes from the shape that the package states; the track's where it states none."""
    if contract.kind is not OutputKind.BOXES or shape is None:
        return contract
    is_yolo = shape[1:2] == [BOX_SIDES + contract.classes] or scores_more_classes(shape, contract)
    is_corners = shape[-1] == BOX_FIELDS
    if is_yolo == is_corners:
        return contract
    return replace(contract, box_layout=BoxLayout.YOLO if is_yolo else BoxLayout.CORNERS)


def _warnings(documents: dict[str, Mapping], track: TrackSpec) -> Iterator[Finding]:
    """Yield what is stated and has no effect: of several stages only the first is the model."""
    mochi, manifest = documents.get(MOCHI, {}), documents.get(MANIFEST, {})
    answer = output_shape(mochi, manifest)
    if answer is not None and scores_more_classes(answer.value, track.output):
        facts = {"found": answer.value[1] - BOX_SIDES, "allowed": track.output.classes}
        yield Finding(code="further_classes_dropped", path=answer.document, facts=facts)
    yield from ignored_finding(MOCHI, _later_stages(mochi, "stages"))
    graph = _later_stages(manifest.get("model_graph"), "model_graph.stages")
    yield from ignored_finding(MANIFEST, [*graph, *ignored_keys(manifest)])


def _later_stages(section: object, place: str) -> list[str]:
    stages = section.get("stages") if isinstance(section, dict) else None
    count = len(stages) if isinstance(stages, list) else 0
    return [f"{place}[{number}]" for number in range(1, count)]


def _document_findings(
    documents: dict[str, Mapping], package: Package, track: TrackSpec
) -> Iterator[Finding]:
    config, mochi, manifest = (documents.get(path, {}) for path in (CONFIG, MOCHI, MANIFEST))
    alone = {
        CONFIG: fields.config_problems,
        MOCHI: fields.mochi_problems,
        MANIFEST: fields.manifest_problems,
    }
    for path, content in documents.items():
        yield from (problem(path, why) for why in alone[path](content))
    yield from agreement_findings(config, mochi, manifest)
    if package.main != MANIFEST:
        yield from (problem(MANIFEST, why) for why in filename_problems(manifest, package.main))
    yield from track_findings(config, mochi, manifest, track)
    yield from (problem(MANIFEST, why) for why in processing_problems(mochi, manifest, track))
    columns = columns_of(config, mochi, manifest, track.output)
    yield from threshold_findings(mochi, manifest, track.output.kind, columns)
    if MOCHI in documents:
        yield from columns_findings(columns, manifest, track.output.kind)
