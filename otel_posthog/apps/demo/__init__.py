"""`otel-posthog demo`: one app, two destinations; the package's promises checked on real traffic.

    run.py: traffic.py ─▶ the helpdesk (app.py) ─▶ PostHog and OTLP (receivers.py) ─▶ model.py ─▶ view.py

The traffic carries personal values that planted.py makes up; what arrives at either end is searched for them.
"""
