"""Real small file systems, where this machine lets a test mount one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _run(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


@contextmanager
def tmpfs(path: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a tmpfs of `size_bytes` at `path`; skip where that is not allowed."""
    path.mkdir()
    if os.geteuid() != 0 or not _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)):
        pytest.skip("mounting a tmpfs is not allowed here: the injected file layer is what tests a full disk")
    try:
        yield path
    finally:
        _run("umount", "-l", str(path))


@contextmanager
def read_only(path: Path, there: Path) -> Iterator[Path]:
    """Mount `path` once more at `there`, where nothing can be written; skip where that is not allowed."""
    there.mkdir()
    if os.geteuid() != 0 or not _run("mount", "--bind", str(path), str(there)):
        pytest.skip("mounting is not allowed here: nothing else is read-only for root as well")
    try:
        if not _run("mount", "-o", "remount,ro,bind", str(there)):
            pytest.skip("mounting read-only is not allowed here")
        yield there
    finally:
        _run("umount", "-l", str(there))


class Loop:
    """An ext4 file system in a file, of which a copy is what a power cut would leave.

    Args:
        folder: Takes the image and the mount points.
    """

    def __init__(self, folder: Path) -> None:
        self.image, self.mounted = folder / "disk.img", folder / "disk"
        self.mounted.mkdir()
        if shutil.which("mkfs.ext4") is None or os.geteuid() != 0:
            pytest.skip("no mkfs.ext4, or not root: the modelled page cache is what tests a power cut")
        with self.image.open("wb") as file:
            file.truncate(32 * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", "-F", str(self.image)], check=True, timeout=60)
        if not _run("mount", "-o", "loop,commit=300", str(self.image), str(self.mounted)):
            pytest.skip("mounting a loop device is not allowed here: the modelled page cache tests a power cut")

    def unmount(self) -> None:
        """Unmount it, as at the end of a good day."""
        _run("umount", "-l", str(self.mounted))

    @contextmanager
    def after_a_power_cut(self, folder: Path) -> Iterator[Path]:
        """Mount a copy of what is on the disk by now, without what the system has not written back."""
        copy, mounted = folder / "copy.img", folder / "copy"
        # The loop device writes to the image through the page cache of the image's own file system, which a copy sees.
        shutil.copyfile(self.image, copy)
        mounted.mkdir()
        subprocess.run(["mount", "-o", "loop", str(copy), str(mounted)], check=True, timeout=60)
        try:
            yield mounted
        finally:
            _run("umount", "-l", str(mounted))
