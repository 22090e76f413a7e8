"""A Django app with log-in and without a line of analytics; as a program it makes its database, with these users."""

from __future__ import annotations

import sys

from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_required
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

app = get_wsgi_application()


def log_in(request: HttpRequest) -> HttpResponse:
    """Log in."""
    user = get_user_model().objects.get(username=request.POST["name"])
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("in")


@login_required  # type: ignore[untyped-decorator]
def tickets(_: HttpRequest) -> HttpResponse:
    """Show what is only shown to users."""
    return HttpResponse("tickets")


def news(_: HttpRequest) -> HttpResponse:
    """Show what everybody may see."""
    return HttpResponse("news")


urlpatterns = [path("login", log_in), path("tickets", tickets), path("news", news)]

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    user = get_user_model()
    user.objects.bulk_create(user(username=name, pk=int(name.rpartition("-")[2])) for name in sys.argv[1:])
