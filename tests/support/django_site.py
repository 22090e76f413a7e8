"""A Django site that knows nothing of us, with sessions, accounts, DRF and allauth, for tests in one process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from otel_posthog import capture

DIRECTORY = Path(tempfile.mkdtemp(prefix="otel-posthog-django-"))
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
PASSWORD = "correct-horse"
_MAIL = "django.core.mail.backends.locmem.EmailBackend"


def set_up() -> None:
    """Configure Django, and make its database with a table of everything; once in a process."""
    if settings.configured:
        return
    settings.configure(
        SECRET_KEY="-" * 50,
        DEBUG=False,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[*MIDDLEWARE],
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "rest_framework",
            "rest_framework.authtoken",
            "allauth",
            "allauth.account",
        ],
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(DIRECTORY / "db.sqlite3"),
                "OPTIONS": {"timeout": 30},
            }
        },
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        SESSION_FILE_PATH=str(DIRECTORY),
        **({"MAILERS": {"default": {"BACKEND": _MAIL}}} if django.VERSION >= (6, 1) else {"EMAIL_BACKEND": _MAIL}),
        ACCOUNT_EMAIL_VERIFICATION="none",
        ACCOUNT_RATE_LIMITS=False,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def user_named(name: str) -> Any:
    """Return the user of a name, made if there is none; a person's id is a number that is nothing else's."""
    number = name.partition("person-")[2]
    given = {"email": f"{name}@" + "example.org", **({"pk": 987_654_000 + int(number)} if number else {})}
    found, is_new = auth.get_user_model().objects.get_or_create(username=name, defaults=given)
    if is_new:
        found.set_password(PASSWORD)
        found.save()
    return found


def plain(request: HttpRequest) -> HttpResponse:
    """Answer, and nothing else."""
    return HttpResponse("plain")


def shop(request: HttpRequest) -> HttpResponse:
    """Make an event, without a look at the user."""
    capture("bought", {"mine": request.headers.get("X-Mine", "")})
    return HttpResponse("bought")


def profile(request: HttpRequest) -> HttpResponse:
    """Make one after a look."""
    name = str(request.user.pk)
    capture("looked", {"mine": request.headers.get("X-Mine", "")})
    return HttpResponse(name)


def both(request: HttpRequest) -> HttpResponse:
    """Make an event before a look."""
    capture("bought")
    return HttpResponse(str(request.user.pk))


def cart(request: HttpRequest) -> HttpResponse:
    """Write to the session."""
    request.session["cart"] = request.session.get("cart", 0) + 1
    return HttpResponse("cart")


def fails(request: HttpRequest) -> HttpResponse:
    """Make one and fail."""
    capture("tried")
    raise RuntimeError("secret")


def log_in(request: HttpRequest) -> HttpResponse:
    """Log in by a password."""
    capture("before")
    user = auth.authenticate(request, username=request.GET["name"], password=request.GET["password"])
    if user is not None:
        auth.login(request, user)
    capture("after")
    return HttpResponse("in" if user else "out")


def log_out(request: HttpRequest) -> HttpResponse:
    """Log out."""
    capture("before")
    auth.logout(request)
    capture("after")
    return HttpResponse("bye")


async def later(request: HttpRequest) -> HttpResponse:
    """Make one in a loop."""
    capture("later", {"mine": request.headers.get("X-Mine", "")})
    return HttpResponse("later")


async def later_looked(request: HttpRequest) -> HttpResponse:
    """Make one in a loop, after a look."""
    if django.VERSION >= (5,):
        await request.auser()
    else:
        await sync_to_async(lambda: request.user.pk)()
    capture("later_looked")
    return HttpResponse("later")


def urlpatterns_of() -> list[Any]:
    """Return the routes."""
    from rest_framework.authentication import SessionAuthentication, TokenAuthentication  # noqa: PLC0415 - settings come first
    from rest_framework.decorators import api_view, authentication_classes  # noqa: PLC0415 - settings come first
    from rest_framework.response import Response  # noqa: PLC0415 - settings come first

    @api_view(["GET"])  # type: ignore[untyped-decorator]
    @authentication_classes([TokenAuthentication, SessionAuthentication])  # type: ignore[untyped-decorator]
    def api(request: Any) -> Any:
        capture("called")
        return Response({"user": request.user.pk})

    return [
        path("", plain),
        path("shop", shop),
        path("profile", profile),
        path("both", both),
        path("cart", cart),
        path("fails", fails),
        path("login", log_in),
        path("logout", log_out),
        path("later", later),
        path("later_looked", later_looked),
        path("api", api),
        path("accounts/", include("allauth.urls")),
    ]


def __getattr__(name: str) -> Any:
    if name != "urlpatterns":
        raise AttributeError(name)
    globals()[name] = found = urlpatterns_of()
    return found
