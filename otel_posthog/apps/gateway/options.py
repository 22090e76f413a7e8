"""What a worker of the gateway is told: everything of the command line that it needs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from typing_extensions import Self

from otel_posthog.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Options:
    """The command line.

    Attributes:
        host: To listen on.
        http_port: Of OTLP/HTTP; 0 for a free one.
        grpc_port: Of OTLP/gRPC; None for no gRPC.
        health_port: Of health alone; None for none.
        policy: Path of the policy file.
        tokens_file: Path of the file with tokens.
        uuid_key_file: Path of the file with the key of uuids.
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
    """

    host: str
    http_port: int
    grpc_port: int | None
    health_port: int | None
    policy: str | None
    tokens_file: str | None
    uuid_key_file: str | None
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

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Self:
        """Return what the command line says.

        Raises:
            ConfigurationError: An origin is none.
        """
        for origin in arguments.cors_origin:
            scheme, separator, rest = origin.partition("://")
            if origin != "*" and (scheme not in {"http", "https"} or not separator or not rest or "/" in rest):
                raise ConfigurationError("--cors-origin must be like https://app.example.com, without a path, or *")
        return cls(
            host=arguments.host,
            http_port=arguments.port,
            grpc_port=arguments.grpc_port or None,
            health_port=arguments.health_port,
            policy=arguments.policy,
            tokens_file=arguments.tokens_file,
            uuid_key_file=arguments.uuid_key_file,
            cors_origins=tuple(arguments.cors_origin),
            workers=arguments.workers,
            max_body_bytes=arguments.max_body_bytes,
            max_inflated_bytes=arguments.max_inflated_bytes,
            max_waiting_bytes=arguments.max_waiting_bytes,
            max_items=arguments.max_items,
            max_connections=arguments.max_connections,
            header_timeout_s=arguments.header_timeout,
            body_timeout_s=arguments.body_timeout,
            work_timeout_s=arguments.work_timeout,
            stop_timeout_s=arguments.stop_timeout,
        )
