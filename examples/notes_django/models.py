"""Users and their notes."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody with notes; the name to log in with is an e-mail address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)


class Note(models.Model):
    """A note."""

    user = models.ForeignKey(User, models.CASCADE)
    text = models.TextField()
