"""What a gateway starts with: options, settings of an app but never without a disk, the key of log records' uuids.

Whoever has the same key makes the same uuids.
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

from typing_extensions import Self

from otel_posthog import environment_variables as env
from otel_posthog.deliver.spool.files import HAS_LOCKS
from otel_posthog.errors import ConfigurationError
from otel_posthog.policy import DeliveryPolicy, Durability, Policy
from otel_posthog.policy.secrets import with_secrets
from otel_posthog.setup.settings import Settings, read_policy, read_settings
from otel_posthog.state import make_directory, read_or_create, spool_directory, state_directory

# What an app collects in seconds a gateway has in milliseconds: a request costs as much as some forty events.
_BASE = Policy(delivery=DeliveryPolicy(max_batch_events=500))
MIN_KEY_CHARS = 32
_UUID_KEY_FILE = "uuid-key"
MAKE_ONE = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of the command, as each worker process gets them.

    Attributes:
        host: To listen on.
        http_port: Of OTLP/HTTP; 0 for a free one.
        grpc_port: Of OTLP/gRPC; None for no gRPC.
        health_port: Of health alone; None for none.
        policy: Path of the policy file.
        tokens_file: Path of the file with tokens.
        uuid_key_file: Path of the file with the key of uuids.
        operational: Whether operational telemetry is filtered and passed on, instead of product events sent.
        backend: The URL under which the backend's paths are.
        backend_traces: The URL for traces, where it is another.
        backend_logs: For logs.
        backend_metrics: For metrics.
        backend_headers_file: Path of the file with headers for the backend.
        backend_compression: Of what is sent to it, `gzip` or `none`.
        cors_origins: From where pages may send.
        workers: How many processes.
        max_body_bytes: Of a request.
        max_inflated_bytes: Of a request's body without compression.
        max_waiting_bytes: Of all requests that are being received and read at once.
        max_items: Of a request.
        max_connections: At once, for each worker and protocol; as many requests, of both together.
        header_timeout_s: For a request's headers to arrive, and of an idle connection.
        body_timeout_s: For a body to arrive.
        work_timeout_s: For a request that has arrived to be done.
        stop_timeout_s: For requests that are being answered when it is stopped.
        json: Whether it says in JSON where it listens.
    """

    host: str
    http_port: int
    grpc_port: int | None
    health_port: int | None
    policy: str | None
    tokens_file: str | None
    uuid_key_file: str | None
    operational: bool
    backend: str | None
    backend_traces: str | None
    backend_logs: str | None
    backend_metrics: str | None
    backend_headers_file: str | None
    backend_compression: str
    cors_origins: tuple[str, ...]
    workers: int
    max_body_bytes: int
    max_inflated_bytes: int
    max_waiting_bytes: int
    max_items: int
    max_connections: int
    header_timeout_s: float
    body_timeout_s: float
    work_timeout_s: float
    stop_timeout_s: float
    json: bool = False

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        """Return what the command line says; its arguments have the names of the fields.

        Raises:
            ConfigurationError: An origin is none.
        """
        for origin in arguments.cors_origins:
            scheme, separator, rest = origin.partition("://")
            if origin != "*" and (scheme not in {"http", "https"} or not separator or not rest or "/" in rest):
                raise ConfigurationError("--cors-origin must be like https://app.example.com, without a path, or *")
        named = {each.name: getattr(arguments, each.name) for each in fields(cls)}
        return cls(**{**named, "grpc_port": arguments.grpc_port or None, "cors_origins": tuple(arguments.cors_origins)})


def read_gateway_settings(environ: Mapping[str, str], options: Options) -> Settings:
    """Return what is in force.

    Raises:
        ConfigurationError: One of the settings cannot work, nothing is collected, or there is no disk.
    """
    settings = read_settings(environ, policy=options.policy, base=_BASE)
    if not settings.collection.enabled:
        raise ConfigurationError(
            f"there is nothing to do: usage statistics are disabled by {settings.collection.reason}; "
            f"a gateway needs {env.POSTHOG_API_KEY} (phc_...), or {env.OTEL_POSTHOG_ENABLED}=preview to look on"
        )
    if not settings.collection.is_preview:
        _check_spool(environ)
    # Success is answered for what is on disk; a policy that says `memory` is an app's.
    delivery = replace(settings.policy.delivery, durability=Durability.SPOOL)
    return replace(settings, policy=replace(settings.policy, delivery=delivery))


def read_operational_policy(environ: Mapping[str, str], options: Options) -> Policy:
    """Return the policy of a gateway for operational telemetry, which needs no PostHog and no disk.

    Raises:
        ConfigurationError: It cannot be used, or a key that it names is not there.
    """
    return with_secrets(replace(read_policy(environ, options.policy), destinations=()), environ)


def _check_spool(environ: Mapping[str, str]) -> None:
    directory = spool_directory(environ)
    if not HAS_LOCKS:
        raise ConfigurationError("this system has no file locks of POSIX, which a gateway's spool needs")
    if not make_directory(directory) or not os.access(directory, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"the spool {directory} cannot be written in, and a gateway keeps events there before it answers; "
            f"name another directory in {env.OTEL_POSTHOG_SPOOL_DIR}"
        )


def read_uuid_key(environ: Mapping[str, str], file: str | None) -> bytes:
    """Return the key of `file` or of the environment, else the installation's, made at its first start.

    Where the state directory keeps nothing, it is this process's: what is sent again after its end is another event.

    Raises:
        ConfigurationError: It cannot be a key.
    """
    given = environ.get(env.UUID_KEY, "").strip()
    if file is not None:
        given = read_option_file("--uuid-key-file", file).strip()
    if given or file is not None:
        # The Collector puts it between quotes.
        if len(given) < MIN_KEY_CHARS or not given.replace("-", "").replace("_", "").isalnum() or not given.isascii():
            raise ConfigurationError(
                f"the key of uuids must be {MIN_KEY_CHARS} or more letters, digits, - and _; make one with {MAKE_ONE}"
            )
        return given.encode()
    kept = read_or_create(state_directory(environ) / _UUID_KEY_FILE, _new_uuid_key)
    return (kept or _new_uuid_key()).encode()


def _new_uuid_key() -> str:
    return secrets.token_urlsafe(32)


def read_option_file(option: str, file: str) -> str:
    """Return the text of the file that `option` names.

    Raises:
        ConfigurationError: It cannot be read, or is not text.
    """
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"{option} {file} cannot be read: {why}") from None
