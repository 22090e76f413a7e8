"""A service that answers a number of requests and knows no user: what it knows came with the request.

Arguments: the port, how many requests, and a file for the headers that carried anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flask import Flask, request
from opentelemetry import trace
from werkzeug.serving import make_server

app = Flask("back")
tracer = trace.get_tracer("back")
headers = Path(sys.argv[3])


@app.get("/<place>")
def answer(place: str) -> str:
    """Make a product event of whoever asks."""
    with headers.open("a", encoding="utf-8") as file:
        file.write(f"{request.headers.get('baggage')}\n")
    with tracer.start_as_current_span("work", attributes={"analytics.event": f"back_{place}"}):
        return "ok"


server = make_server("127.0.0.1", int(sys.argv[1]), app)
headers.write_text("", encoding="utf-8")
for _ in range(int(sys.argv[2])):
    server.handle_request()
server.server_close()
sys.stdout.write("done\n")
