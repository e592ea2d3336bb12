"""Django's handle on this package."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """App configuration."""

    name = "competition.audit"
    label = "audit"
    verbose_name = "audit trail"
