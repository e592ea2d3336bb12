"""Writes the audit trail. Whoever acts calls this, in the transaction of the act: both happen or neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.db.models import Model

from competition.audit.models import Act, AuditRecord
from competition.clock import database_now

Actor: TypeAlias = AbstractBaseUser | AnonymousUser | None
"""Who acts; None is a command on the server."""
Facts: TypeAlias = Mapping[str, Any]


def record(
    act: Act,
    on: Model,
    *,
    by: Actor,
    competition_id: int | None,
    before: Facts | None = None,
    after: Facts | None = None,
    reason: str = "",
) -> AuditRecord:
    """Add a row to the trail; it must be called within the transaction of the act."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{act} is recorded outside the transaction that does it")
    return AuditRecord.objects.create(
        at=database_now(),
        actor_id=by.pk if by is not None else None,
        actor_name=by.get_username() if by is not None else "",
        act=act,
        object_type=on._meta.label_lower,
        object_id=str(on.pk),
        object_name=str(on)[:200],
        competition_id=competition_id,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
    )


def record_change(
    act: Act, on: Model, before: Facts, after: Facts, *, by: Actor, competition_id: int | None
) -> None:
    """Record those of the facts that differ; nothing if none does."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if changed:
        old, new = ({name: facts.get(name) for name in changed} for facts in (before, after))
        record(act, on, by=by, competition_id=competition_id, before=old, after=new)


def columns_of(row: Model) -> dict[str, Any]:
    """Return a row's columns as the trail shows them; those of a JSON column called `body` one by one."""
    columns = {field.attname: field.value_from_object(row) for field in row._meta.concrete_fields}
    body = columns.pop("body", None) or {}
    return {**body, **columns}
