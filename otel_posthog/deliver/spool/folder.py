"""The folders of a spool: one for each destination, PostHog project and installation.

What waits is bound to the key and the host that it was collected for, by a hash of both, so that a process that has
another key, be it another product's or the same one's of tomorrow, neither sends nor removes it. The installation is in
the name as well, so that an installation that opts out drops what is its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from otel_posthog.deliver.spool.files import Files, OsFiles
from otel_posthog.policy import Destination
from otel_posthog.posthog.requests import ingestion_url
from otel_posthog.regex import regex
from otel_posthog.state import spool_directory, spool_mark, state_directory

_PLAIN = regex(r"[a-z0-9][a-z0-9_-]{0,59}")
_OTHER = regex(r"[^a-z0-9_-]+")
_BOUND = regex(r"([a-z0-9][a-z0-9_-]{0,59})\.([0-9a-f]{16})(?:\.([0-9a-f]{8}))?")
# As an earlier release called them: a name, or one made plain and a hash of what it was.
_UNBOUND = regex(r"[a-z0-9][a-z0-9_-]{0,59}|[a-z0-9][a-z0-9_-]{0,39}\.[0-9a-f]{12}")


class Folder(NamedTuple):
    """A folder of a spool.

    Attributes:
        name: Its name.
        destination: The name of the destination, as far as the folder's name has it.
        project: Stands for the key and the host; empty where an earlier release noted none.
        installation: Stands for the installation whose events these are; empty where that is not known.
    """

    name: str
    destination: str
    project: str = ""
    installation: str = ""

    @property
    def label(self) -> str:
        """What the folder's name has of the destination's."""
        return self.name.partition(".")[0]


def folder_for(destination: str, project: str = "", installation: str = "") -> Folder:
    """Return the folder of `destination`: its name, made fit for every file system and still unique."""
    bound = "".join(f".{each}" for each in (project, installation) if project and each)
    if _PLAIN.fullmatch(destination):
        return Folder(destination + bound, destination, project, installation)
    readable = _OTHER.sub("-", destination.lower())[:40].strip("-_") or "destination"
    digest = hashlib.sha256(destination.encode()).hexdigest()
    return Folder(
        f"{readable}-{digest[:8]}{bound}" if project else f"{readable}.{digest[:12]}",
        destination,
        project,
        installation,
    )


def parse_folder(name: str) -> Folder | None:
    """Return the folder of that name; None where no release calls one so."""
    found = _BOUND.fullmatch(name)
    if found is not None:
        return Folder(name, found[1], found[2], found[3] or "")
    return Folder(name, name) if _UNBOUND.fullmatch(name) else None


def is_project(word: str) -> bool:
    """Return whether `word` may stand for a key and a host."""
    return re.fullmatch(r"[0-9a-f]{16}", word) is not None


def unbound_path(root: Path, destination: str) -> Path:
    """Return the folder that an earlier release had for `destination`."""
    return root / folder_for(destination).name


def project_of(destination: Destination) -> str:
    """Return what stands for the key and the host of `destination`: a hash of both."""
    named = f"otel-posthog project:{ingestion_url(destination.host).lower()}\0{destination.api_key or ''}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]


class SpoolRoot(NamedTuple):
    """A spool.

    Attributes:
        path: Its directory.
        installation: Stands for the installation that uses it.
        is_alone: Whether no other installation uses it: it is in the state directory.
        for_owner: Whether root, on its command line, may work there for the user whose it is.
    """

    path: Path
    installation: str = ""
    is_alone: bool = False
    for_owner: bool = False

    @property
    def files(self) -> Files:
        """Its file system."""
        return OsFiles(self.path, for_owner=self.for_owner)

    def folder_of(self, destination: Destination) -> Folder:
        """Return the folder of `destination`."""
        return folder_for(destination.name, project_of(destination), self.installation)

    def is_mine(self, found: Folder) -> bool:
        """Return whether what is in a folder is this installation's, as far as that can be told.

        An earlier release did not note whose events these are: they count as everybody's who opts out.
        """
        return self.is_alone or not found.installation or found.installation == self.installation


def spool_root(environ: Mapping[str, str], path: Path | None = None, *, for_owner: bool = False) -> SpoolRoot:
    """Return the spool of the installation that `environ` is of.

    Args:
        environ: The environment.
        path: Instead of the directory that it names.
        for_owner: As of `SpoolRoot`.
    """
    directory = path or spool_directory(environ)
    is_alone = state_directory(environ) in directory.parents
    return SpoolRoot(directory, spool_mark(environ), is_alone, for_owner)
