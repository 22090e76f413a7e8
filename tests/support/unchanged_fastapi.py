"""A FastAPI app without a line of analytics, visited once."""

from __future__ import annotations

import socket
import sys
import threading
import time

import httpx
import unchanged
import uvicorn
from fastapi import FastAPI

app = FastAPI()
app.get("/orders/export")(lambda: "id\n1\n")


@app.get("/")
async def index() -> str:
    """Show the first page."""
    return "index"


@app.get("/orders/{number}")
async def order(number: int) -> int:
    """Show an order."""
    return number


@app.get("/api/orders")
async def orders() -> list[str]:
    """List the orders."""
    return []


@app.get("/search")
async def search(q: str) -> str:
    """Look for an order."""
    return q


@app.get("/static/{name}")
async def static(name: str) -> str:
    """Show a file."""
    return name


app.get("/api/broken")(unchanged.broken)
app.get("/report")(unchanged.report)
app.get("/pay")(lambda: unchanged.pay(httpx.get))
app.get("/wait")(lambda: unchanged.wait(httpx.get))
app.get("/queue")(unchanged.enqueue)

listening = socket.socket()
listening.bind(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
thread = threading.Thread(target=server.run, args=([listening],))
thread.start()
while not server.started:
    time.sleep(0.01)
unchanged.visit(listening.getsockname()[1])
server.should_exit = True
thread.join()
sys.stdout.write("done\n")
