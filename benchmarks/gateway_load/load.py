"""Sends prepared requests over a few connections, as fast as they are answered.

Started as `python -m benchmarks.gateway_load.load PORT REQUESTS EVENTS CONNECTIONS`; prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.client import HTTPConnection
from queue import Empty, SimpleQueue

from benchmarks.gateway_load.bodies import bodies

HEADERS = {"Content-Type": "application/x-protobuf"}


def main(port: int, requests: int, events: int, connections: int) -> None:
    """Send all of it and print the seconds it took and each answer's."""
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for body in bodies(requests, events):
        waiting.put(body)
    times_s: list[float] = []
    statuses: list[int] = []

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            try:
                body = waiting.get_nowait()
            except Empty:
                return
            start = time.perf_counter()
            connection.request("POST", "/v1/logs", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            times_s.append(time.perf_counter() - start)
            statuses.append(answer.status)

    threads = [threading.Thread(target=send) for _ in range(connections)]
    began, start = time.time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent_s = time.perf_counter() - start
    print(json.dumps({"began": began, "spent_s": spent_s, "times_s": times_s, "accepted": statuses.count(200)}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
