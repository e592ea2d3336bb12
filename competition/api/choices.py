"""Closed sets of values as the API declares them, each under one name in the OpenAPI document."""

from enum import StrEnum

from scoring import contracts


def _values(names: type[StrEnum]) -> list[str]:
    return [name.value for name in names]


BOX_LAYOUTS = _values(contracts.BoxLayout)
CHANNEL_ORDERS = _values(contracts.ChannelOrder)
DTYPES = _values(contracts.Dtype)
FORMATS = _values(contracts.Format)
METRICS = _values(contracts.Metric)
OUTPUT_KINDS = _values(contracts.OutputKind)
PRECISIONS = _values(contracts.Precision)
PRIVATE_SCORES = _values(contracts.PrivateScores)
READERS = _values(contracts.Reader)
SPLITS = _values(contracts.Split)
STAGES = _values(contracts.Stage)
STATUSES = _values(contracts.Status)
VERDICTS = _values(contracts.Verdict)
