"""Django's handle on this package."""

from django.apps import AppConfig
from django.contrib.admin import apps


class AdminConfig(AppConfig):
    """App configuration; the label `admin` is that of Django's own app."""

    default = True
    name = "competition.admin"
    label = "organising"


class SiteConfig(apps.AdminConfig):
    """Django's own admin app with our site in place of its."""

    default = False
    default_site = "competition.admin.site.Site"
