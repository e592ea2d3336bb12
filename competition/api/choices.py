"""Closed sets of values as the API declares them, each under one name in the OpenAPI document."""

from enum import StrEnum

from scoring import contracts


def _values(names: type[StrEnum]) -> list[str]:
    return [name.value for name in names]


FORMATS = _values(contracts.Format)
METRICS = _values(contracts.Metric)
PRECISIONS = _values(contracts.Precision)
SPLITS = _values(contracts.Split)
STAGES = _values(contracts.Stage)
STATUSES = _values(contracts.Status)
VERDICTS = _values(contracts.Verdict)
