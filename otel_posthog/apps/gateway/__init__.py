"""The gateway: the same pipeline behind OTLP receivers, for other languages, browsers and Collectors.

    http.py, grpc.py ── bytes ─▶ service.py ─▶ consumer.py ── signals ─▶ Pipeline.accept ── on disk ─▶ responses.py

    with --operational:
    http.py, grpc.py ── bytes ─▶ service.py ─▶ operational.py ── filtered ─▶ backend.py ── its answer ─▶ responses.py

The sender keeps the telemetry until the answer is there: success means that its product events are on disk, or
that the backend has said so.
"""
