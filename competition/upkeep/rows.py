"""Every row of the database as a line of text that any database can take: for backups.

Primary keys stay as they are, and so does every time to the microsecond. What belongs to a machine or to a
browser is left out: sessions, and uploads whose pieces lie on the site's own disk.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models.fields.files import FieldFile
from django.db.models.options import Options

LEFT_OUT: Final = frozenset({"sessions.session", "submissions.partialupload"})
BATCH: Final = 500


def kept_models() -> list[type[models.Model]]:
    """Return the models whose rows are kept, those of many-to-many fields as well."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if _is_kept(model._meta)]


@contextmanager
def one_moment() -> Iterator[None]:
    """Let everything that is read inside be as it was at one moment, without keeping anybody from writing."""
    if connection.vendor == "sqlite":
        # Not `atomic`, which would take the lock for writing; a reader of the log is in nobody's way.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def dump() -> Iterator[str]:
    """Yield a line for each row; call it within `one_moment`."""
    for model in kept_models():
        fields = model._meta.concrete_fields
        for row in model._base_manager.order_by("pk").iterator(chunk_size=BATCH):
            values = {field.attname: _plain(field.value_from_object(row)) for field in fields}
            yield json.dumps([model._meta.label_lower, values], ensure_ascii=False, separators=(",", ":"))


@transaction.atomic
def load(lines: Iterable[str]) -> int:
    """Make the rows those of the lines and nothing else; return how many there are."""
    known = {model._meta.label_lower: model for model in kept_models()}
    for model in known.values():  # migrations make rows, too: those of permissions, say
        model._base_manager.all()._raw_delete(connection.alias)
    loaded = 0
    for label, batch in _batches(lines):
        _insert(known[label], batch)
        loaded += len(batch)
    _continue_numbering(list(known.values()))
    return loaded


def occupied() -> list[str]:
    """Return the models of ours, and of accounts, that have rows: a restore would take them away."""
    ours = [model for model in kept_models() if model.__module__.startswith("competition.")]
    return [
        model._meta.label_lower
        for model in (*ours, apps.get_model("auth", "User"))
        if model._base_manager.exists()
    ]


def _is_kept(meta: Options[Any]) -> bool:
    return meta.managed and not meta.proxy and meta.label_lower not in LEFT_OUT


def _batches(lines: Iterable[str]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Put lines that follow each other and are of one model together."""
    label, batch = "", list[Mapping[str, Any]]()
    for line in lines:
        of, values = json.loads(line)
        if batch and (of != label or len(batch) == BATCH):
            yield label, batch
            batch = []
        label = of
        batch.append(values)
    if batch:
        yield label, batch


def _insert(model: type[models.Model], rows: list[Mapping[str, Any]]) -> None:
    fields = model._meta.concrete_fields
    made = [model(**{field.attname: _value(field, row[field.attname]) for field in fields}) for row in rows]
    size = max(1, connection.ops.bulk_batch_size(fields, made))
    for start in range(0, len(made), size):
        # Raw: a field that notes the time of its creation keeps the time that it noted.
        model._base_manager._insert(  # type: ignore[attr-defined]
            made[start : start + size], fields=fields, using=connection.alias, raw=True
        )


def _continue_numbering(loaded: list[type[models.Model]]) -> None:
    statements = connection.ops.sequence_reset_sql(no_style(), loaded)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _plain(value: Any) -> Any:
    """Return a value as JSON writes it without losing anything."""
    if isinstance(value, FieldFile):
        return value.name
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode("ascii")
    return value


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    if value is None or isinstance(field, models.FileField):
        return value
    if isinstance(field, models.BinaryField):
        return base64.b64decode(value)
    return field.to_python(value)
