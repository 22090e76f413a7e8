"""The helpdesk's OpenTelemetry handles: standard API only, whatever SDK or none stands behind it."""

from __future__ import annotations

import logging

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger

tracer = trace.get_tracer("helpdesk")
events = get_logger("helpdesk.events")
"""Log-based events: what happened, by name, without a line of text."""

log = logging.getLogger("helpdesk")

_meter = metrics.get_meter("helpdesk")
tickets_created = _meter.create_counter("helpdesk.tickets", "{ticket}", "Tickets created.")
logins = _meter.create_counter("helpdesk.logins", "{login}", "Attempts to log in, by outcome.")
search_duration = _meter.create_histogram("helpdesk.search.duration", "ms", "Time to search all tickets.")
