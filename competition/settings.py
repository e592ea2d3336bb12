"""Settings, all read from the environment here and nowhere else; safe for production by default."""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import environ
from django.core.exceptions import ImproperlyConfigured

from competition.database import postgresql_options, sqlite_options
from scoring.cache.trim import DEFAULT_MAX_BYTES

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()

# --- where things live ---------------------------------------------------------------------------
HOME = Path(env.str("PODIUM_HOME", default=str(BASE_DIR / "var")))
CACHE_DIR = Path(env.str("PODIUM_CACHE", default=str(HOME / "cache")))
CACHE_MAX_BYTES = env.int("PODIUM_CACHE_MAX_BYTES", default=DEFAULT_MAX_BYTES)


def _secret_key() -> str:
    """Return SECRET_KEY, or a random one kept in PODIUM_HOME, made at the first start."""
    given = env.str("SECRET_KEY", default="")
    if given:
        return str(given)
    file = HOME / "secret.key"
    if not file.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        # Appears whole: of processes that start at the same time, the first decides for all.
        with NamedTemporaryFile("w", dir=HOME) as made, suppress(FileExistsError):
            made.write(secrets.token_urlsafe(50))
            made.flush()
            file.hardlink_to(made.name)
    return str(file.read_text())


SECRET_KEY = _secret_key()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")

INSTALLED_APPS = [
    "competition.accounts",
    "competition.audit",
    "competition.tracks",
    "competition.submissions",
    "competition.leaderboard",
    "competition.upkeep",
    "competition.admin",
    "competition.admin.apps.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "competition.operations.views.MachinesFirstMiddleware",
    "competition.metrics.RequestSecondsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "competition.security.ContentSecurityPolicyMiddleware",
    "competition.uploads.UploadsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "competition.wellformed.WellFormedMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "competition.accounts.second_factor.StaffSecondFactorMiddleware",
]

ROOT_URLCONF = "competition.urls"
WSGI_APPLICATION = "competition.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database: SQLite in one folder, or DATABASE_URL ----------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{HOME / 'podium.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # SQLite lets one write at a time, and whoever waits for the lock asks again and again: no line, no turn.
    DATABASES["default"]["OPTIONS"] = sqlite_options(
        lock_s=env.float("DATABASE_LOCK_TIMEOUT_S", default=10.0)
    )
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["OPTIONS"] = postgresql_options(
        DATABASES["default"].get("OPTIONS", {}),
        lock_s=env.float("DATABASE_LOCK_TIMEOUT_S", default=5.0),
        statement_s=env.float("DATABASE_STATEMENT_TIMEOUT_S", default=30.0),
        idle_transaction_s=env.float("DATABASE_IDLE_TRANSACTION_TIMEOUT_S", default=30.0),
        silence_s=env.int("DATABASE_SILENCE_S", default=30),
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- cache: what throttling counts; in each process for itself, or CACHE_URL (Redis) for all ----------
# Django's own 300 entries would let anybody push the counts of others out.
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://?max_entries=100000")}

# --- broker: Celery on the file system, or CELERY_BROKER_URL --------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
if CELERY_BROKER_URL.startswith("filesystem://"):
    _QUEUE = HOME / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_QUEUE / "messages"),
        "data_folder_out": str(_QUEUE / "messages"),
        "control_folder": str(_QUEUE / "control"),
    }
    for _folder in ("messages", "control"):  # the transport expects them to exist
        (_QUEUE / _folder).mkdir(parents=True, exist_ok=True)
CELERY_IMPORTS = ("scoring.worker.tasks",)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "cpu"  # queues are hardware classes; the sweep runs on this one
# Acknowledged at once: a lost wake-up is harmless, the sweeper sends another, while brokers deliver
# a message again, or cut the connection, when an hour's evaluation leaves it unacknowledged.
CELERY_TASK_ACKS_LATE = False
# One evaluation at a time, in the worker's own process: timings repeat, and a signal reaches it.
CELERY_WORKER_POOL = "solo"
CELERY_WORKER_CONCURRENCY = 1
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_HEARTBEAT = 0  # nobody answers heartbeats while an evaluation runs
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")
CELERY_BEAT_SCHEDULER = "competition.beat:Scheduler"


def _every(task: str, seconds: float) -> dict[str, object]:
    """Return a turn of beat: a message that nobody took by the next one is for nobody."""
    # Both: RabbitMQ drops what has expired by itself, for other brokers the worker does.
    return {"task": task, "schedule": seconds, "options": {"expires": seconds, "expiration": seconds}}


CELERY_BEAT_SCHEDULE = {
    "sweep": _every("podium.sweep", env.float("PODIUM_SWEEP_S", default=15.0)),
    "tidy": _every("podium.tidy", env.float("PODIUM_TIDY_S", default=86_400.0)),
    "catch_up": _every("podium.catch_up", env.float("PODIUM_CATCH_UP_S", default=600.0)),
}
SANDBOX = env.str("PODIUM_SANDBOX", default="bubblewrap")  # what workers run entries in
SPARES = env.int("PODIUM_SPARES", default=6)  # how many sandboxes a worker keeps started ahead
MIN_FREE_BYTES = env.int("PODIUM_MIN_FREE_BYTES", default=2**30)  # below it a worker claims nothing
WORKER_MEMORY_BYTES = (
    env.int("PODIUM_WORKER_MEMORY_BYTES", default=0) or None
)  # None: as much as a track allows
LEASE_S = env.float("PODIUM_LEASE_S", default=60.0)
MAX_ATTEMPTS = env.int("PODIUM_MAX_ATTEMPTS", default=3)
MAX_RUNNING_PER_PARTICIPANT = env.int("PODIUM_MAX_RUNNING_PER_PARTICIPANT", default=1)

# --- telemetry -----------------------------------------------------------------------------------
SENTRY_DSN = env.str("SENTRY_DSN", default="")
OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

# --- files: a local folder, or any S3-compatible store --------------------------------------------
MAX_UPLOAD_BYTES = env.int("PODIUM_MAX_UPLOAD_BYTES", default=5 * 2**30)
MEDIA_ROOT = HOME / "files"
MEDIA_URL = "/files/"  # never served: entries and datasets are private
MAX_UPLOADING_BYTES = env.int("PODIUM_MAX_UPLOADING_BYTES", default=64 * 2**30)
UPLOAD_EXPIRES_S = env.float(
    "PODIUM_UPLOAD_EXPIRES_S", default=86_400.0
)  # of one in pieces, after its last piece
FILE_UPLOAD_HANDLERS = ["competition.uploads.UploadHandler"]
# By default beside the files: an upload that is stored there is renamed, not copied.
FILE_UPLOAD_TEMP_DIR = env.str("PODIUM_UPLOAD_TMP", default="")
if not FILE_UPLOAD_TEMP_DIR:
    FILE_UPLOAD_TEMP_DIR = str(HOME / "uploads")
    Path(FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True)
IMPORT_ROOT = env.str("PODIUM_IMPORT_ROOT", default="")  # data folders below it can be imported; empty: none
MAX_DATASET_BYTES = env.int("PODIUM_MAX_DATASET_BYTES", default=50 * 2**30)
_S3_BUCKET = env.str("PODIUM_S3_BUCKET", default="")
STORAGES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
S3_UPLOAD_ENDPOINT = (
    env.str("PODIUM_S3_UPLOAD_ENDPOINT", default="") if _S3_BUCKET else ""
)  # as participants reach it
if _S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "competition.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _S3_BUCKET,
            "endpoint_url": env.str("PODIUM_S3_ENDPOINT", default=None),
            "region_name": env.str("PODIUM_S3_REGION", default=None),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        },
    }

# --- static files ----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("PODIUM_STATIC", default=str(HOME / "static")))

# --- accounts ---------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "competition.accounts.adapter.AccountAdapter"
# How many wrong passwords are taken: from an address at one name, and from an address at all names.
LOGIN_RATE_PAIR = env.str("PODIUM_LOGIN_RATE_PAIR", default="5/5m")
LOGIN_RATE_ADDRESS = env.str("PODIUM_LOGIN_RATE_ADDRESS", default="30/5m")
# X-Forwarded-For is believed only from as many proxies as there are: else anybody evades the limits.
PROXIES = env.int("PODIUM_PROXIES", default=0)
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.str("PODIUM_EMAIL_VERIFICATION", default="optional")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
# Sign-in by other services, each shown once it is named here. Accounts are never joined by their e-mail address alone.
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, object]] = {}
SIGN_IN_ORIGINS = env.list(
    "PODIUM_SIGN_IN_ORIGINS", default=[]
)  # where their sign-in pages are, for the page's policy
if _github := env.str("PODIUM_GITHUB_CLIENT_ID", default=""):
    INSTALLED_APPS.append("allauth.socialaccount.providers.github")  # its address fails where it has no key
    SIGN_IN_ORIGINS.append("https://github.com")
    SOCIALACCOUNT_PROVIDERS["github"] = {
        "APPS": [{"client_id": _github, "secret": env.str("PODIUM_GITHUB_SECRET")}],
        "SCOPE": ["user:email"],
    }
if _oidc := env.str("PODIUM_OIDC_CLIENT_ID", default=""):
    _oidc_url = env.str("PODIUM_OIDC_URL")
    # Tokens come straight from there, and TLS is what proves it: OpenID Connect Core, 3.1.3.7, point 6.
    if not _oidc_url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ImproperlyConfigured("PODIUM_OIDC_URL must begin with https://")
    SIGN_IN_ORIGINS.append("/".join(_oidc_url.split("/")[:3]))
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env.str("PODIUM_OIDC_NAME", default="Single sign-on"),
                "client_id": _oidc,
                "secret": env.str("PODIUM_OIDC_SECRET"),
                "settings": {"server_url": _oidc_url},
            }
        ],
        "OAUTH_PKCE_ENABLED": True,
    }
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="podium@localhost")

# --- API ----------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "competition.accounts.tokens.AccessTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_PARSER_CLASSES": [
        "competition.api.parsers.JSONParser",
        "competition.api.parsers.FormParser",
        "competition.api.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "competition.api.paging.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "competition.api.errors.explain_exception",
    "DEFAULT_THROTTLE_CLASSES": [
        "competition.api.throttles.AnonRateThrottle",
        "competition.api.throttles.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.str("PODIUM_API_RATE_ANON", default="120/min"),
        "user": env.str("PODIUM_API_RATE_USER", default="600/min"),
        "token": env.str("PODIUM_API_RATE_TOKEN", default="20/min"),
        "sign_up": env.str("PODIUM_API_RATE_SIGN_UP", default="20/hour"),
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Podium API",
    "DESCRIPTION": "Tracks, submissions and leaderboards. Send your account's token as “Authorization: Token …”.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "MetricName": "competition.api.choices.METRICS",
        "StatusName": "competition.api.choices.STATUSES",
        "SplitName": "competition.api.choices.SPLITS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "competition.api.schema.describe_problems",
        "competition.api.schema.add_summaries",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": 0},
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- security -------------------------------------------------------------------------------------------
_HTTPS = env.bool("PODIUM_HTTPS", default=SITE_URL.startswith("https://"))
SESSION_COOKIE_SECURE = _HTTPS
STAFF_SECOND_FACTOR = env.bool("PODIUM_STAFF_SECOND_FACTOR", default=_HTTPS)
CSRF_COOKIE_SECURE = _HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_SSL_REDIRECT = env.bool("PODIUM_SSL_REDIRECT", default=False)
if env.bool("PODIUM_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- language and time -------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- numbers for Prometheus: shown to nobody unless a token or addresses are set -----------------------------
METRICS_TOKEN = env.str("PODIUM_METRICS_TOKEN", default="")
METRICS_FROM = env.list("PODIUM_METRICS_FROM", default=[])
WORKER_METRICS = env.str("PODIUM_WORKER_METRICS", default="")  # host:port on which a worker shows its own
# The library reads this when it is imported. A folder for each machine: processes are told apart by their number.
_METRICS_DIR = HOME / "metrics" / socket.gethostname()
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_METRICS_DIR))
Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)

# --- logs: fields, not prose; never tokens, labels or entry content -----------------------------------------
LOG_LEVEL = env.str("PODIUM_LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("PODIUM_LOG_FORMAT", default="logfmt")  # or json
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"fields": {"()": "competition.logs.formatter", "style": LOG_FORMAT}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "fields"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
