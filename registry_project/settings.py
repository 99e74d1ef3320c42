"""Settings from the environment; without DEBUG every production setting must be given."""

import os
import re
import secrets
from datetime import date
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from registry_project.logs import logging_at

BASE_DIR = Path(__file__).resolve().parent.parent


def _flag(name: str, *, default: bool = False) -> bool:
    """Read a yes-or-no setting; anything else than a clear yes or no is refused."""
    text = os.environ.get(name, "").strip().lower()
    if text in {"", "0", "1", "true", "false", "yes", "no", "on", "off"}:
        return default if text == "" else text in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} must be 1 or 0.")


def _origins(name: str) -> list[str]:
    """Read origins: scheme and host, and a port where it is not the usual one."""
    found = _listed(name)
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", each) for each in found):
        raise ImproperlyConfigured(
            f"{name} must be origins such as https://notebook.example, comma-separated: without a "
            "path, in lower case."
        )
    return found


def _origin(name: str) -> str:
    """Read one origin; empty where it is not set."""
    found = _origins(name)
    if len(found) > 1:
        raise ImproperlyConfigured(f"{name} must be one origin.")
    return "".join(found)


def _listed(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def _whole(name: str, default: int, *, least: int, most: int | None = None) -> int:
    """Read a whole number within its limits."""
    text = os.environ.get(name, "").strip()
    number = int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None
    if text == "":
        return default
    if number is None or number < least or (most is not None and number > most):
        limits = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} must be a whole number {limits}.")
    return number


def _chosen(name: str, default: str, choices: set[str]) -> str:
    """Read one of several words."""
    word = os.environ.get(name, "").strip() or default
    if word not in choices:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(sorted(choices))}.")
    return word


def _rate(name: str, default: str) -> str:
    """Read a number of requests in a time."""
    text = os.environ.get(name, "").strip() or default
    if not re.fullmatch(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)", text):
        raise ImproperlyConfigured(
            f"{name} must be a number of requests in a time: 600/min, or in place of min: "
            "sec, hour or day."
        )
    return text


class Hidden(str):
    """A secret whose value is not shown where settings are listed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(hidden)'"


def _hold_to_form(redis_url: str) -> None:
    """Refuse an address that the client of Redis does not read; asks no server."""
    try:
        from redis import ConnectionPool
    except ImportError:  # told by the system check registry.E006
        return
    try:
        ConnectionPool.from_url(redis_url).make_connection()
    except (TypeError, ValueError):
        raise ImproperlyConfigured(
            "REDIS_URL must be redis://name:password@host:6379/0, with other characters of name "
            "and password percent-encoded; rediss:// over TLS, or unix:///path."
        ) from None


DEBUG = _flag("DEBUG")

# The registry's own settings ---------------------------------------------------------------

REGISTRY_VAR = Path(os.environ.get("REGISTRY_VAR") or BASE_DIR / "var").resolve()
REGISTRY_VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
REGISTRY_DATE_PRECISION = _chosen("REGISTRY_DATE_PRECISION", "year", {"year", "month"})
REGISTRY_PUBLIC_STATISTICS = _flag("REGISTRY_PUBLIC_STATISTICS")
REGISTRY_FREEZE_SECONDS = _whole("REGISTRY_FREEZE_SECONDS", 30, least=0)
REGISTRY_SNAPSHOTS_KEPT = _whole("REGISTRY_SNAPSHOTS_KEPT", 20, least=0, most=1000)
REGISTRY_SNAPSHOTS_MB = _whole("REGISTRY_SNAPSHOTS_MB", 20_000, least=1)
REGISTRY_FIRST_YEAR = _whole("REGISTRY_FIRST_YEAR", 2005, least=1980, most=date.today().year)  # noqa: DTZ011
REGISTRY_RELEASE_DAYS = _whole("REGISTRY_RELEASE_DAYS", 0 if DEBUG else 350, least=0)
REGISTRY_RELEASE_GROWTH = _whole("REGISTRY_RELEASE_GROWTH", 0 if DEBUG else 10, least=0, most=100)
REGISTRY_RELEASE_CHANGED = _whole("REGISTRY_RELEASE_CHANGED", 0 if DEBUG else 200, least=0)
REGISTRY_ANSWER_TICK_MS = _whole("REGISTRY_ANSWER_TICK_MS", 50, least=0, most=1000)
REGISTRY_LOCK_SECONDS = _whole("REGISTRY_LOCK_SECONDS", 20, least=1, most=600)
REGISTRY_TOKEN_DAYS = _whole("REGISTRY_TOKEN_DAYS", 365, least=1, most=3_650)
REGISTRY_AGREEMENT_SECOND_PERSON = _flag("REGISTRY_AGREEMENT_SECOND_PERSON")
REGISTRY_AGREEMENT_REMINDER_DAYS = _whole("REGISTRY_AGREEMENT_REMINDER_DAYS", 30, least=1, most=365)
REGISTRY_DIGEST_ADDRESS = _origin("REGISTRY_DIGEST_ADDRESS")  # off without one
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
SECRET_KEY_FALLBACKS = _listed("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = _listed("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = _listed("CSRF_TRUSTED_ORIGINS")
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
    "registry.answers.kept.KeepAnswers",
    "registry.answers.given_passwords.ChangeGivenPassword",
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
            database_url or f"sqlite:///{REGISTRY_VAR / 'registry.sqlite3'}", conn_max_age=60
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
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    server = DATABASES["default"].setdefault("OPTIONS", {})
    bounded = f"{server.get('options', '')} -c lock_timeout={REGISTRY_LOCK_SECONDS}s"
    server["options"] = bounded.strip()

CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
REDIS_URL = Hidden(os.environ.get("REDIS_URL", "").strip())
if REDIS_URL:
    _hold_to_form(REDIS_URL)
    CACHES["default"] = {
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
EMAIL_PORT = _whole("EMAIL_PORT", 587, least=1, most=65535)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = Hidden(os.environ.get("EMAIL_HOST_PASSWORD", ""))
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS", default=True)
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
        "registry.models.access.TokensEndWithPassword",
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

BEHIND_PROXY = _whole("BEHIND_PROXY", 0, least=0, most=9)  # read by client_address alone
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
        "anon": _rate("THROTTLE_ANON", "600/min"),
        "user": _rate("THROTTLE_USER", "6000/min"),
        "token": _rate("THROTTLE_TOKEN", "60/min"),
    },
}
CORS_ALLOWED_ORIGINS = _origins("CORS_ALLOWED_ORIGINS")
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
    SECURE_SSL_REDIRECT = _flag("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
    SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL_REDIRECT else 0
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL_REDIRECT
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOG_LEVEL = _chosen("LOG_LEVEL", "WARNING", {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
LOGGING = logging_at(LOG_LEVEL)
