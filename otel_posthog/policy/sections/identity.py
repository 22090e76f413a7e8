"""Identity: who an event is sent as."""

from __future__ import annotations

from enum import Enum


class IdentityMode(str, Enum):
    """What an event tells of who acted (two of the design's four modes so far).

    `ANONYMOUS`: one stable id per installation; no session, group, person or IP address.
    `IDENTIFIED`: the user id as it is; person properties, groups and sessions allowed.
    """

    ANONYMOUS = "anonymous"
    IDENTIFIED = "identified"
