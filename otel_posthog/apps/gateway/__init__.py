"""The gateway: the same pipeline behind an OTLP receiver, for other languages, browsers and Collectors.

    http.py, grpc.py ── bytes ─▶ receiver.py ── signals ─▶ Pipeline.accept ── on disk ─▶ answer

Whoever sends keeps the telemetry until the answer is there: success means that its product events are on disk.
"""
