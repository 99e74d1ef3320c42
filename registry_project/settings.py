"""Settings from the environment; without DEBUG every production setting must be given."""

import os
import secrets
from datetime import date
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from registry_project.environment import (
    Hidden,
    chosen,
    engine,
    flag,
    hold_to_form,
    issuer,
    listed,
    origin,
    origins,
    rate,
    replica,
    roles,
    share_of_processors,
    whole,
)
from registry_project.logs import logging_at

BASE_DIR = Path(__file__).resolve().parent.parent
IS_CHECKOUT = (BASE_DIR / "manage.py").exists()
"""Whether this is the registry's own folder, and not a package that was installed."""


# Before numpy is read. Sums of several threads differ in their last digit from those of one, and an
# answer must not hang on how many processors a machine has. Requests then wait less, too.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

DEBUG = flag("DEBUG")

# The registry's own settings ---------------------------------------------------------------

HOME = BASE_DIR if IS_CHECKOUT else Path.cwd()
REGISTRY_VAR = Path(os.environ.get("REGISTRY_VAR") or HOME / "var").resolve()
REGISTRY_VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
REGISTRY_DATE_PRECISION = chosen("REGISTRY_DATE_PRECISION", "year", {"year", "month"})
REGISTRY_PUBLIC_STATISTICS = flag("REGISTRY_PUBLIC_STATISTICS")
REGISTRY_FREEZE_SECONDS = whole("REGISTRY_FREEZE_SECONDS", 30, least=0)
REGISTRY_SNAPSHOTS_KEPT = whole("REGISTRY_SNAPSHOTS_KEPT", 20, least=0, most=1000)
REGISTRY_SNAPSHOTS_MB = whole("REGISTRY_SNAPSHOTS_MB", 20_000, least=1)
REGISTRY_ENGINE = engine("REGISTRY_ENGINE")
REGISTRY_ENGINE_SECONDS = whole("REGISTRY_ENGINE_SECONDS", 60, least=1, most=3600)
REGISTRY_THREADS = whole("REGISTRY_THREADS", share_of_processors(), least=0, most=1024)
REGISTRY_FIRST_YEAR = whole("REGISTRY_FIRST_YEAR", 2005, least=1980, most=date.today().year)  # noqa: DTZ011
REGISTRY_RELEASE_DAYS = whole("REGISTRY_RELEASE_DAYS", 0 if DEBUG else 350, least=0)
REGISTRY_RELEASE_GROWTH = whole("REGISTRY_RELEASE_GROWTH", 0 if DEBUG else 10, least=0, most=100)
REGISTRY_RELEASE_CHANGED = whole("REGISTRY_RELEASE_CHANGED", 0 if DEBUG else 200, least=0)
REGISTRY_ANSWER_TICK_MS = whole("REGISTRY_ANSWER_TICK_MS", 50, least=0, most=1000)
REGISTRY_LOCK_SECONDS = whole("REGISTRY_LOCK_SECONDS", 20, least=1, most=600)
REGISTRY_TOKEN_DAYS = whole("REGISTRY_TOKEN_DAYS", 365, least=1, most=3_650)
REGISTRY_AGREEMENT_SECOND_PERSON = flag("REGISTRY_AGREEMENT_SECOND_PERSON")
REGISTRY_ROLE_SECOND_PERSON = flag("REGISTRY_ROLE_SECOND_PERSON", default=not DEBUG)
REGISTRY_ROLE_PROPOSAL_DAYS = whole("REGISTRY_ROLE_PROPOSAL_DAYS", 14, least=1, most=90)
REGISTRY_CODE_REQUIRED = roles("REGISTRY_CODE_REQUIRED")
REGISTRY_AGREEMENT_REMINDER_DAYS = whole("REGISTRY_AGREEMENT_REMINDER_DAYS", 30, least=1, most=365)
REGISTRY_OIDC_ISSUER = issuer("REGISTRY_OIDC_ISSUER")  # off without one
REGISTRY_OIDC_CLIENT_ID = os.environ.get("REGISTRY_OIDC_CLIENT_ID", "").strip()
REGISTRY_OIDC_CLIENT_SECRET = Hidden(os.environ.get("REGISTRY_OIDC_CLIENT_SECRET", ""))
REGISTRY_OIDC_NAME = os.environ.get("REGISTRY_OIDC_NAME", "").strip() or "your hospital"
REGISTRY_OIDC_CLAIM = os.environ.get("REGISTRY_OIDC_CLAIM", "").strip() or "preferred_username"
REGISTRY_OIDC_TRUSTED_FACTORS = frozenset(listed("REGISTRY_OIDC_TRUSTED_FACTORS"))
REGISTRY_DIGEST_ADDRESS = origin("REGISTRY_DIGEST_ADDRESS")  # off without one
REGISTRY_KEY_RECORDS = Hidden(os.environ.get("REGISTRY_KEY_RECORDS", ""))
REGISTRY_KEY_NOISE = Hidden(os.environ.get("REGISTRY_KEY_NOISE", ""))
REGISTRY_KEY_SNAPSHOTS = Hidden(os.environ.get("REGISTRY_KEY_SNAPSHOTS", ""))
REGISTRY_KEY_SEALS = Hidden(os.environ.get("REGISTRY_KEY_SEALS", ""))
REGISTRY_KEY_FILE = os.environ.get("REGISTRY_KEY_FILE", "")  # REGISTRY_VAR/disclosure-keys.json
REGISTRY_HEADS_FILE = os.environ.get("REGISTRY_HEADS_FILE", "")


def _development_secret() -> str:
    """A secret key of this checkout, made once, kept with mode 600 beside the database."""
    path = REGISTRY_VAR / "secret-key"
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = os.environ.get("SECRET_KEY", "")
database_url = Hidden(os.environ.get("DATABASE_URL", "").strip())
SECRET_KEY_FALLBACKS = listed("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = listed("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")
if DEBUG:
    SECRET_KEY = SECRET_KEY or _development_secret()
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]", "testserver"]
elif not SECRET_KEY or not ALLOWED_HOSTS or not database_url:
    raise ImproperlyConfigured(
        "Set SECRET_KEY, ALLOWED_HOSTS (host names, comma-separated) and DATABASE_URL, or DEBUG=1 "
        "to develop."
    )

# Django ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "corsheaders",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "csp",
    "registry",
    "django.forms",  # its templates, some of which the registry's own replace
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "registry.api.compression.CompressedReplies",
    "registry.api.outside.AddressesInUtf8",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "registry.answers.private_replies.PrivateReplies",
    "registry.answers.sessions.SlidingSessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "registry.answers.detours.KeepAnswers",
    "registry.answers.given_passwords.ChangeGivenPassword",
    "registry.answers.second_factor.RequireCode",
    "registry.admin.busy.BusyPages",
]

ROOT_URLCONF = "registry_project.urls"
WSGI_APPLICATION = "registry_project.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "registry" / "templates"],  # before the admin's own
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "registry.dashboard.agreements.standing",
            ],
        },
    },
]

database_form = (
    "DATABASE_URL must be postgres://user:password@host/name, with other characters of user and "
    "password percent-encoded, or sqlite:///path."
)
try:
    DATABASES = {
        "default": dj_database_url.parse(
            database_url or f"sqlite:///{REGISTRY_VAR / 'registry.sqlite3'}",
            conn_max_age=60,
            conn_health_checks=True,  # the first request after the server was away gets an answer
        )
    }
except ValueError:
    raise ImproperlyConfigured(database_form) from None
if DATABASES["default"].get("ENGINE", "").split(".")[-1] not in {"postgresql", "sqlite3"}:
    raise ImproperlyConfigured(database_form)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": REGISTRY_LOCK_SECONDS,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    server = DATABASES["default"].setdefault("OPTIONS", {})
    bounded = f"{server.get('options', '')} -c lock_timeout={REGISTRY_LOCK_SECONDS}s"
    server["options"] = bounded.strip()

replica_url = Hidden(os.environ.get("REPLICA_URL", "").strip())
REPLICA_SECONDS = whole("REPLICA_SECONDS", 1, least=0, most=600)
if replica_url:
    DATABASES["replica"] = replica(replica_url, of=DATABASES["default"])

CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "limits": {
        "BACKEND": "registry.shared_cache.CountsInFiles",
        "LOCATION": REGISTRY_VAR / "limits",
    },
}
REDIS_URL = Hidden(os.environ.get("REDIS_URL", "").strip())
if REDIS_URL:
    hold_to_form(REDIS_URL)
    CACHES["default"] = CACHES["limits"] = {
        "BACKEND": "registry.shared_cache.RedisOrMemory",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},  # seconds
    }

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = REGISTRY_VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Mail, for reminders; without EMAIL_HOST none is sent -------------------------------------

EMAIL_HOST = os.environ.get("EMAIL_HOST", "").strip()
EMAIL_PORT = whole("EMAIL_PORT", 587, least=1, most=65535)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = Hidden(os.environ.get("EMAIL_HOST_PASSWORD", ""))
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "").strip()

# Who signs in ------------------------------------------------------------------------------

AUTH_USER_MODEL = "registry.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "django.contrib.auth.password_validation.MinimumLengthValidator",
        "django.contrib.auth.password_validation.CommonPasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
        "registry.models.tokens.TokensEndWithPassword",
    )
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/dashboard/"
LOGOUT_REDIRECT_URL = "/"
OTP_TOTP_ISSUER = "Pump registry"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "registry.answers.client_address.client_address"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_CALLABLE = "registry.dashboard.sign_in.locked_out"
AXES_VERBOSE = False

DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # follow-up sends four for each of 500 implants

# The API -----------------------------------------------------------------------------------

BEHIND_PROXY = whole("BEHIND_PROXY", 0, least=0, most=9)  # read by client_address alone
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "registry.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["registry.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "registry.api.negotiation.FormatNegotiation",
    "DEFAULT_SCHEMA_CLASS": "registry.api.operations.OperationSchema",
    "EXCEPTION_HANDLER": "registry.api.problems.problem_response",
    "DEFAULT_THROTTLE_CLASSES": [
        "registry.api.throttling.StrangersLimit",
        "registry.api.throttling.UsersLimit",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": rate("THROTTLE_ANON", "600/min"),
        "user": rate("THROTTLE_USER", "6000/min"),
        "token": rate("THROTTLE_TOKEN", "60/min"),
    },
}
CORS_ALLOWED_ORIGINS = origins("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/(api|fhir)/"
CORS_ALLOW_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE")
CORS_ALLOW_HEADERS = (
    *("accept", "authorization", "content-type", "prefer"),
    *("idempotency-key", "if-match", "if-none-match"),
)
CORS_EXPOSE_HEADERS = (
    *("Content-Disposition", "ETag", "Link", "Location", "Retry-After"),
    *("Idempotent-Replayed", "Registry-Agreement"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
MIGRATION_MODULES = {"knox": None}  # its own token table would stand empty and block TRUNCATE
KNOX_TOKEN_MODEL = "registry.Token"  # noqa: S105 - a model's name
REST_KNOX = {"AUTO_REFRESH": False, "TOKEN_LIMIT_PER_USER": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pump registry API",
    "DESCRIPTION": "Complications of intrathecal drug delivery systems: entry and statistics.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "registry.api.operations.close_bodies",
        "registry.api.replies.describe_headers",
        "registry.api.replies.link_rows",
    ],
    "ENUM_NAME_OVERRIDES": {
        "DeviceModel": "registry.api.bodies.MODELS",
        "Relatedness": "registry.vocabulary.Relatedness.choices",
        "YesNoUnknown": "registry.vocabulary.YesNoUnknown.choices",
    },
}
SIMPLE_HISTORY_REVERT_DISABLED = True

# What the browser may do -------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 2 * 3600  # of idleness: a session in use is prolonged
CSRF_FAILURE_VIEW = "registry.answers.kept.token_refused"
if not DEBUG:
    SECURE_SSL_REDIRECT = flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
    SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL_REDIRECT
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOG_LEVEL = chosen("LOG_LEVEL", "WARNING", {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
LOGGING = logging_at(LOG_LEVEL)
