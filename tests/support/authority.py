"""A certificate authority that nobody believes but a test, made on the spot with openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from needs import needs


class Authority:
    """An authority, and servers that it vouches for.

    Args:
        folder: Where its files are put.

    Attributes:
        certificate: The file that those who are to believe it need.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.certificate = folder / "authority.pem"
        self._run("req", "-x509", "-subj", "/CN=nobody's authority", *_NEW, "-out", self.certificate)
        self._key = (folder / "new.key").rename(folder / "authority.key")

    def server(self, name: str) -> ssl.SSLContext:
        """Return the context of a server whose certificate is for `name` (`IP:127.0.0.1`, `DNS:localhost`).

        Args:
            name: As in a subjectAltName.
        """
        signed = self._folder / "server.pem"
        extension = f"subjectAltName={name}"
        by = ("-CA", self.certificate, "-CAkey", self._key)
        self._run("req", "-x509", "-subj", "/CN=server", *_NEW, "-out", signed, "-addext", extension, *by)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed, self._folder / "new.key")
        return context

    def hashed_folder(self) -> Path:
        """Return a folder with the certificate under the name by which OpenSSL looks for it."""
        command = [needs("openssl", "it names the file"), "x509", "-hash", "-noout", "-in", str(self.certificate)]
        name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        folder = self._folder / "hashed"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.0").write_bytes(self.certificate.read_bytes())
        return folder

    def _run(self, *arguments: object) -> None:
        command = [needs("openssl", "it makes the certificates"), *map(str, arguments)]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)


_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "new.key")
