"""Sign-in by OpenID Connect and GitHub: against a provider that this test runs, with its own key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.urls import reverse

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[3]


class Provider:
    """An OpenID Connect provider: says where its parts are, and answers a code with a signed token."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims = {"sub": "42", "email": "carol@example.org", "preferred_username": "carol"}
        self.nonce: str | None = None
        self.changed: dict[str, object] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(provider.pages()[urlsplit(self.path).path])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(provider.token(parse_qs(body)))

            def _answer(self, body: dict) -> None:
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def pages(self) -> dict[str, dict]:
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            },
            "/keys": {"keys": [jwk | {"kid": "1", "use": "sig", "alg": "RS256"}]},
            "/userinfo": self.claims,
        }

    def token(self, asked: dict[str, list[str]]) -> dict[str, object]:
        assert asked["code"] == ["the-code"]
        assert asked["client_secret"] == ["secret"]
        now = int(time.time())
        claims = {"iss": self.url, "aud": "podium", "iat": now, "exp": now + 60, "nonce": self.nonce}
        signed = jwt.encode(
            self.claims | claims | self.changed, self.key, algorithm="RS256", headers={"kid": "1"}
        )
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    provider = Provider()
    app = {
        "provider_id": "oidc",
        "name": "University",
        "client_id": "podium",
        "secret": "secret",
        "settings": {"server_url": provider.url},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}
    settings.SIGN_IN_ORIGINS = [provider.url]
    thread = threading.Thread(target=provider.server.serve_forever, daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


def sign_in(client, provider: Provider, **extra: str):
    """Go to the provider and come back with a code, as a browser does."""
    away = client.post(reverse("openid_connect_login", args=["oidc"]), extra)
    assert away.url.startswith(f"{provider.url}/authorize?")
    asked = parse_qs(urlsplit(away.url).query)
    assert asked["code_challenge_method"] == ["S256"]
    provider.nonce = asked.get("nonce", [None])[0]
    back = reverse("openid_connect_callback", args=["oidc"])
    return client.get(back, {"code": "the-code", "state": asked["state"][0]}, follow=True)


def test_without_a_service_no_button_is_shown(client):
    assert b"Go on with" not in client.get(reverse("account_login")).content


def test_the_sign_in_page_offers_the_service_and_lets_the_browser_go_there(client, provider):
    page = client.get(reverse("account_login"))

    assert b"Go on with University" in page.content
    assert f"form-action 'self' {provider.url};" in page.headers["Content-Security-Policy"]


def test_a_newcomer_gets_an_account_and_is_signed_in_again_the_next_time(client, provider):
    sign_in(client, provider)
    assert client.get(reverse("account")).context["user"].username == "carol"
    client.logout()

    sign_in(client, provider)

    assert client.get(reverse("account")).context["user"].username == "carol"
    assert User.objects.count() == 1


def test_an_account_is_not_taken_by_its_address_alone(client, provider):
    owner = User.objects.create_user("owner", "carol@example.org", "correct horse battery")

    sign_in(client, provider)

    answer = client.get(reverse("account"))
    assert answer.status_code == 302 or answer.context["user"] != owner


@pytest.mark.parametrize(
    "changed", [{"aud": "another site"}, {"iss": "https://elsewhere.example"}, {"exp": 1}]
)
def test_a_token_for_somebody_else_or_of_the_past_signs_nobody_in(client, provider, changed):
    provider.changed = changed

    sign_in(client, provider)

    assert client.get(reverse("account")).status_code == 302
    assert not User.objects.exists()


def test_a_provider_without_tls_is_refused(tmp_path):
    given = {
        "PODIUM_OIDC_CLIENT_ID": "a",
        "PODIUM_OIDC_SECRET": "b",
        "PODIUM_OIDC_URL": "http://sso.example.org",
    }

    told = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | given | {"PODIUM_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert told.returncode != 0
    assert "PODIUM_OIDC_URL must begin with https://" in told.stderr


def test_github_is_offered_once_it_has_a_key(tmp_path):
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "from django.urls import reverse\n"
        "print(reverse('github_login'), settings.SIGN_IN_ORIGINS)"
    )
    given = {"DJANGO_SETTINGS_MODULE": "competition.settings", "PODIUM_HOME": str(tmp_path)}
    keys = {"PODIUM_GITHUB_CLIENT_ID": "a", "PODIUM_GITHUB_SECRET": "b"}

    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | given | keys,
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.split() == ["/accounts/github/login/", "['https://github.com']"]
