"""The gateway: the same pipeline behind OTLP receivers, for other languages, browsers and Collectors.

    http.py, grpc.py ── bytes ─▶ service.py ─▶ consumer.py ── signals ─▶ Pipeline.accept ── on disk ─▶ responses.py

The sender keeps the telemetry until the answer is there: success means that its product events are on disk.
"""
