"""One page, which works with the number in its query."""

from __future__ import annotations

import os

from django.http import HttpRequest, JsonResponse
from django.urls import path
from product import work


def page(request: HttpRequest) -> JsonResponse:
    """Work, and say in which process."""
    work(int(request.GET["n"]))
    return JsonResponse({"pid": os.getpid()})


urlpatterns = [path("", page)]
