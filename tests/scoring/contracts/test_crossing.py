"""Requests as they cross into the sandbox: nothing of a contract is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scoring.contracts import (
    BoxLayout,
    ChannelOrder,
    Decoder,
    Dtype,
    Fit,
    Format,
    InputContract,
    Interpolation,
    Mix,
    Orientation,
    OutputContract,
    OutputKind,
    Peaks,
    Reader,
    Request,
    Resampler,
    Task,
)
from scoring.contracts.fields import TrackField, fields_of

UNUSUAL = Request(
    task=Task.MEASURE,
    format=Format.BYOM,
    main="model.pt",
    input=InputContract(
        reader=Reader.VIDEO,
        shape=(8, 3, 32, 48),
        dtype=Dtype.UINT8,
        low=-1.5,
        high=255.0,
        channel_order=ChannelOrder.RGB,
        decoder=Decoder.PILLOW,
        orientation=Orientation.AS_STORED,
        fit=Fit.SHORTEST_EDGE_THEN_CENTRE_CROP,
        resize=(256,),
        crop=(32, 48),
        interpolation=Interpolation.BICUBIC,
        antialias=False,
        mean=(0.1, 0.2, 0.3),
        std=(0.4, 0.5, 0.6),
        frame_rate=2.5,
        sample_rate=8_000,
        mix=Mix.FFMPEG,
        resampler=Resampler.SWRESAMPLE,
        peaks=Peaks.KEEP,
    ),
    output=OutputContract(
        kind=OutputKind.BOXES, width=6, classes=4, box_layout=BoxLayout.YOLO, class_names=("a", "b", "c", "d")
    ),
    samples=2,
    batch_size=3,
    threads=4,
    seed=5,
    options={"columns": 2},
)
FIELDS = [*fields_of(InputContract, "input"), *fields_of(OutputContract, "output")]


@pytest.mark.parametrize("known", FIELDS, ids=lambda known: known.place)
def test_every_field_of_a_contract_crosses_with_its_type(known: TrackField) -> None:
    sent = getattr(getattr(UNUSUAL, known.section), known.name)
    received = getattr(getattr(Request.from_json(UNUSUAL.to_json()), known.section), known.name)

    assert sent != known.default, "give the field another value than its default in the request above"
    assert (received, type(received)) == (sent, type(sent))


def test_a_whole_request_is_read_as_it_was_written() -> None:
    assert Request.from_json(UNUSUAL.to_json()) == UNUSUAL


def test_what_is_left_open_crosses_as_nothing() -> None:
    open_request = replace(
        UNUSUAL, input=InputContract(), output=OutputContract(kind=OutputKind.LOGITS, width=2)
    )

    assert Request.from_json(open_request.to_json()) == open_request
    assert json.loads(open_request.to_json())["input"]["mean"] is None
