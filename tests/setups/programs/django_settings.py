"""The least that Django runs with."""

from __future__ import annotations

import os

DEBUG = True
SECRET_KEY = os.urandom(16).hex()
ROOT_URLCONF = "django_urls"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
