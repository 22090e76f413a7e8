"""A Flask app without a line of analytics, visited once."""

from __future__ import annotations

import sys
import threading

import requests
import unchanged
from flask import Flask
from werkzeug.serving import make_server

app = Flask("shop", static_folder=None)
app.add_url_rule("/", "index", lambda: "index")
app.add_url_rule("/orders/<int:number>", "order", lambda number: f"{number}")
app.add_url_rule("/api/orders", "orders", lambda: {"orders": []})
app.add_url_rule("/api/broken", "broken", unchanged.broken)
app.add_url_rule("/search", "search", lambda: "found")
app.add_url_rule("/orders/export", "export", lambda: "id\n1\n")
app.add_url_rule("/report", "report", unchanged.report)
app.add_url_rule("/pay", "pay", lambda: unchanged.pay(requests.get))
app.add_url_rule("/wait", "wait", lambda: unchanged.wait(requests.get))
app.add_url_rule("/queue", "queue", unchanged.enqueue)
app.add_url_rule("/static/<path:name>", "static", lambda name: name)

server = make_server("127.0.0.1", 0, app, threaded=True)
thread = threading.Thread(target=server.serve_forever)
thread.start()
unchanged.visit(server.port)
server.shutdown()
thread.join()
sys.stdout.write("done\n")
