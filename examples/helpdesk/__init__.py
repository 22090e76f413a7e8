"""Helpdesk: a small support desk that emits standard OpenTelemetry, to be watched at work.

Run it from the folder that holds this package (`examples/` in the repository):

    opentelemetry-instrument python -m helpdesk --port 8080

It runs as well without OpenTelemetry's SDK, without `otel-posthog`, and as plain `python -m helpdesk`. Its telemetry
is full of personal data on purpose, put there in the ways in which real apps do it by mistake: the filters' work.
"""
