"""A Celery app whose broker is a folder, so that nothing but the worker runs."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery  # type: ignore[import-untyped]
from product import work

_folder = Path(os.environ["CELERY_FOLDER"])
app = Celery("celery_app", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(_folder / "queue"),
    "data_folder_out": str(_folder / "queue"),
    "control_folder": str(_folder / "control"),
}
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="work")  # type: ignore[untyped-decorator]
def task(number: int) -> None:
    """Work with a number."""
    work(number)
