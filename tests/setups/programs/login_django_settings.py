"""The settings of a Django app with log-in; its database is `LOGIN_DATABASE`."""

from __future__ import annotations

import os

SECRET_KEY = "-" * 50
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "login_django"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("LOGIN_DATABASE", ":memory:"),
        "OPTIONS": {"timeout": 60},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
LOGGING_CONFIG = None
USE_TZ = True
