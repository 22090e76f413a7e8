"""A Django app without a line of analytics, visited once; settings, pages and server in one file."""

from __future__ import annotations

import os
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests
import unchanged
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

DEBUG = False
SECRET_KEY = os.urandom(16).hex()
ROOT_URLCONF = "unchanged_django"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
LOGGING_CONFIG = None


def _page(request: HttpRequest, **_: object) -> HttpResponse:
    text = {
        "/api/broken": unchanged.broken,
        "/report": unchanged.report,
        "/pay": lambda: unchanged.pay(requests.get),
        "/wait": lambda: unchanged.wait(requests.get),
        "/queue": unchanged.enqueue,
    }.get(request.path, lambda: "page")
    return HttpResponse(text())


urlpatterns = [
    path("", _page),
    path("orders/<int:number>", _page),
    *(path(each, _page) for each in ("api/orders", "api/broken", "search", "orders/export")),
    *(path(each, _page) for each in ("report", "pay", "wait", "queue")),
    path("static/<path:name>", _page),
]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - as `manage.py` has it
    server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    unchanged.visit(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()
    sys.stdout.write("done\n")
