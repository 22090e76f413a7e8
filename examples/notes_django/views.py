"""The screens."""

from __future__ import annotations

import csv
import time

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import escape
from django.views.decorators.http import require_POST

from notes_django.models import Note, User

FORM = '<!doctype html><title>Notes</title><form method="post"><input name="email"><input name="password"></form>'


def _page(*notes: str) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Notes</title>" + "".join(f"<p>{escape(each)}</p>" for each in notes))


def _texts(request: HttpRequest) -> list[str]:
    return list(Note.objects.filter(user=request.user).order_by("id").values_list("text", flat=True))


def home(request: HttpRequest) -> HttpResponse:
    return _page()


def sign_up(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return HttpResponse(FORM)
    User.objects.create_user(request.POST["email"], password=request.POST["password"])
    return redirect("/login")


def log_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return HttpResponse(FORM)
    user = authenticate(request, username=request.POST["email"], password=request.POST["password"])
    if user is None:
        return HttpResponse(FORM)
    login(request, user)
    return redirect("/notes")


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/")


@login_required
def notes(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        Note.objects.create(user=request.user, text=request.POST["text"])
        return redirect("/notes")
    return _page(*_texts(request))


@login_required
def note(request: HttpRequest, number: int) -> HttpResponse:
    return _page(get_object_or_404(Note, id=number, user=request.user).text)


@login_required
def search(request: HttpRequest) -> HttpResponse:
    return _page(*[text for text in _texts(request) if request.GET.get("q", "") in text])


@login_required
def export(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(content_type="text/csv")
    csv.writer(answer).writerows([text] for text in _texts(request))
    return answer


@login_required
def report(request: HttpRequest) -> HttpResponse:
    """Count all notes, which takes as long as a report does."""
    connection.ensure_connection()
    connection.connection.create_function("pause", 1, time.sleep)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), pause(0.6) FROM notes_django_note")
        return _page(f"{cursor.fetchone()[0]} notes")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"no notes for {request.GET.get('email')}")


@login_required
def api_notes(request: HttpRequest) -> HttpResponse:
    return JsonResponse(_texts(request), safe=False)


def api_broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("no such thing")
