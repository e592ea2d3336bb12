"""Addresses of the account page."""

from django.urls import path

from competition.accounts import views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/token/", views.renew_token, name="renew-token"),
    path("account/token/revoke/", views.revoke_token, name="revoke-token"),
]
