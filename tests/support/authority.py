"""A certificate authority that nobody believes but a test, made on the spot with openssl."""

from __future__ import annotations

import ssl
import subprocess
from datetime import datetime
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

    def server_at_times(self, name: str, begin: datetime, end: datetime) -> ssl.SSLContext:
        """Return the context of a server whose certificate is valid between two times only.

        Args:
            name: As of `server`.
            begin: From when on.
            end: Until when.
        """
        for each, text in (
            ("index.txt", ""),
            ("serial", "01\n"),
            ("ca.cnf", _CA),
            ("names.cnf", f"subjectAltName={name}\n"),
        ):
            (self._folder / each).write_text(text, encoding="utf-8")
        self._run("req", "-new", "-subj", "/CN=server", *_NEW, "-out", "server.csr")
        times = ("-startdate", f"{begin:%Y%m%d%H%M%SZ}", "-enddate", f"{end:%Y%m%d%H%M%SZ}")
        by = ("-config", "ca.cnf", "-cert", self.certificate, "-keyfile", self._key, "-extfile", "names.cnf")
        self._run("ca", "-batch", "-notext", "-in", "server.csr", "-out", "server.pem", *by, *times)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "server.pem", self._folder / "new.key")
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
_CA = """\
[ca]
default_ca = this
[this]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
"""
