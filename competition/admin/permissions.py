"""What nobody may do in the admin, whatever their permissions: rows that only the program writes."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest


class NeverAddedOrDeleted:
    """Rows that the program makes and keeps."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody add one."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody delete one."""
        return False


class ReadOnly(NeverAddedOrDeleted):
    """Rows to look at."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let nobody change one."""
        return False
