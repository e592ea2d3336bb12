"""Sign-up and tokens, for scripts; people use the pages. Wrong passwords are counted for both together."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.accounts import tokens
from competition.accounts.adapter import TooManyAttempts
from competition.accounts.models import AccessToken
from competition.accounts.second_factor import lacks_second_factor
from competition.api.errors import Problem
from competition.api.throttles import ScopedRateThrottle


class TokenInput(serializers.Serializer[Any]):
    """What proves who somebody is."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})

    name = serializers.CharField(
        max_length=60,
        default="Made through the API",
        help_text="What your account page calls the token, so that you know it again.",
    )


class TokenOutput(serializers.Serializer[Any]):
    """A token for the header “Authorization: Token …”."""

    token = serializers.CharField(read_only=True)


class CreateToken(APIView):
    """Exchange a user name and password for a new token."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "token"

    @extend_schema(
        operation_id="create_token", request=TokenInput, responses=TokenOutput, auth=[], tags=["accounts"]
    )
    def post(self, request: Request) -> Response:
        """Exchange a user name and password for a new token; those that the account has go on working.

        An account has at most 50: one more ends the one that was not used for longest.
        """
        given = TokenInput(data=request.data)
        given.is_valid(raise_exception=True)
        name = given.validated_data.pop("name")
        user = _authenticate(request, given.validated_data)
        if user is None:
            raise exceptions.AuthenticationFailed("The user name or password is wrong.")
        _refuse_half_proven(user)
        return Response({"token": tokens.make_token(owner=user, name=name)})

    def get_authenticate_header(self, request: Request) -> str:
        """Make a wrong password a 401 although the view itself asks for no credentials."""
        return "Token"


class KnownTokenOutput(serializers.ModelSerializer[AccessToken]):
    """What is known of a token; the token itself is shown once, when it is made."""

    class Meta:
        model = AccessToken
        fields = ("id", "name", "beginning", "created_at", "last_used_at")


class ListTokens(generics.ListAPIView[AccessToken]):
    """List one's own tokens."""

    permission_classes = (IsAuthenticated,)
    serializer_class = KnownTokenOutput

    def get_queryset(self) -> QuerySet[AccessToken]:
        """Keep to the caller's own."""
        if getattr(self, "swagger_fake_view", False):
            return AccessToken.objects.none()
        return AccessToken.objects.filter(user=cast(User, self.request.user))

    @extend_schema(operation_id="list_tokens", tags=["accounts"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List your tokens, the newest first, with when each was last used, to the minute."""
        return super().get(request, *args, **kwargs)


class RevokeToken(APIView):
    """Revoke a token."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="revoke_token", responses={204: None}, tags=["accounts"])
    def delete(self, request: Request, pk: int) -> Response:
        """Revoke one of your tokens; it stops working at once."""
        if tokens.revoke_token(owner=cast(User, request.user), pk=pk) is None:
            raise exceptions.NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class AccountInput(serializers.Serializer[Any]):
    """A new account."""

    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class AccountOutput(serializers.Serializer[Any]):
    """The account as it was asked for."""

    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)


class CreateAccount(APIView):
    """Sign up."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "sign_up"

    @extend_schema(
        operation_id="create_account",
        request=AccountInput,
        responses={201: AccountOutput},
        auth=[],
        tags=["accounts"],
    )
    def post(self, request: Request) -> Response:
        """Sign up; the site's own sign-up form decides, so both have the same rules."""
        given = AccountInput(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        form = SignupForm(
            {**wanted, "password1": wanted["password"], "password2": wanted["password"]},
        )
        if not form.is_valid():
            raise exceptions.ValidationError(_by_field(form))
        # An address that is taken gets the same answer, and its owner a mail: nobody learns who is here.
        user, _ = form.try_save(request._request)
        if user is not None and settings.ACCOUNT_EMAIL_VERIFICATION != "none":
            EmailAddress.objects.get(user=user, primary=True).send_confirmation(request._request, signup=True)
        return Response(
            {"username": wanted["username"], "email": wanted["email"]}, status=status.HTTP_201_CREATED
        )


def _authenticate(request: Request, credentials: dict[str, str]) -> User | None:
    """Ask the site's own sign-in; raises Problem after too many wrong passwords from one address."""
    try:
        user = get_adapter().authenticate(request._request, **credentials)
    except TooManyAttempts as exc:
        raise Problem(
            status=status.HTTP_429_TOO_MANY_REQUESTS,
            code="throttled",
            message=str(exc.message),
            extra={"retry_after_s": exc.wait_s},
            headers={"Retry-After": str(exc.wait_s)},
        ) from exc
    # allauth returns closed accounts too, for a page of its own that tells them so.
    return user if isinstance(user, User) and user.is_active else None


def _refuse_half_proven(user: User) -> None:
    """Keep a password alone from going round the second factor or the confirmation of the address."""
    if is_mfa_enabled(user):
        raise Problem(
            status=status.HTTP_403_FORBIDDEN,
            code="second_factor_required",
            message="This account has a second factor, so you cannot get a token with the password alone.",
            hint="Sign in on the site and create a token on your account page, which shows it once.",
        )
    if lacks_second_factor(user):
        raise Problem(
            status=status.HTTP_403_FORBIDDEN,
            code="second_factor_required",
            message="Accounts of staff need two-factor authentication on this site, and yours has none yet.",
            hint="Sign in on the site, set it up, and create a token on your account page.",
        )
    unconfirmed = not EmailAddress.objects.filter(user_id=user.pk, verified=True).exists()
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory" and unconfirmed:
        raise Problem(
            status=status.HTTP_403_FORBIDDEN,
            code="address_not_confirmed",
            message="This account's e-mail address is not confirmed.",
            hint="Open the link in the e-mail that we sent to it.",
        )


def _by_field(form: SignupForm) -> dict[str, list[str]]:
    """Return the form's errors under the names of the API's fields."""
    names = {"password1": "password", "password2": "password", "__all__": "non_field_errors"}
    errors: dict[str, list[str]] = {}
    for field, messages in form.errors.items():
        errors.setdefault(names.get(field, field), []).extend(str(message) for message in messages)
    return errors
