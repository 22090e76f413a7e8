"""One process of the gateway: pipeline, doors, and their start and end around the server's life."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from opentelemetry.sdk.metrics import MeterProvider
from starlette.applications import Starlette

from otel_posthog.apps.gateway.grpc import GrpcDoor
from otel_posthog.apps.gateway.http import HttpDoor
from otel_posthog.apps.gateway.options import Options
from otel_posthog.apps.gateway.receiver import Receiver
from otel_posthog.apps.gateway.service import Service
from otel_posthog.apps.gateway.settings import read_settings
from otel_posthog.apps.gateway.telemetry import Telemetry, meter_provider
from otel_posthog.apps.gateway.tokens import read_tokens
from otel_posthog.apps.gateway.uuid_key import read_uuid_key
from otel_posthog.errors import ConfigurationError
from otel_posthog.setup import configure
from otel_posthog.setup.instruments import instrument

# Of the youngest generation only: connections are cycles, which the others are for.
_GC_THRESHOLD = 20_000
_SWITCH_INTERVAL_S = 0.02


def application(options: Options) -> Starlette:
    """Return the ASGI application of this process, with everything behind it started.

    Args:
        options: Of the command line.

    Raises:
        ConfigurationError: The settings, which the parent has checked, do not work here.
    """
    # What is made for the events of a request goes with it, without cycles.
    gc.set_threshold(_GC_THRESHOLD)
    # Three threads want the interpreter; each change of hands costs, and nobody waits for one but `/healthz`.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    running = configure.start_with(read_settings(os.environ, options), "the gateway")
    pipeline = running.pipeline
    if pipeline is None:
        raise ConfigurationError("nothing is collected")
    pipeline.start()
    provider = meter_provider(os.environ)
    instrument(provider, running.health)
    service = Service(
        options,
        read_tokens(os.environ, options.tokens_file, options.host),
        Receiver(pipeline, read_uuid_key(os.environ, options.uuid_key_file)),
        Telemetry(provider),
        running.guard,
        # One: the work is Python's own, which a second thread would only wait for.
        ThreadPoolExecutor(1, thread_name_prefix="otel-posthog-gateway"),
    )
    grpc = GrpcDoor(service) if options.grpc_port else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if grpc is not None:
            grpc.start()
        yield
        if grpc is not None:
            await asyncio.to_thread(grpc.stop)
        await asyncio.to_thread(service.executor.shutdown)
        await asyncio.to_thread(pipeline.shutdown)
        if isinstance(provider, MeterProvider):
            await asyncio.to_thread(provider.shutdown)

    return HttpDoor(service).application(lifespan)
