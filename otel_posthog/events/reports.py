"""Reports, and data that leaves or enters the product."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class ReportGenerated(TypedDict, total=False):
    """`report_generated`: a report was made.

    Attributes:
        report_kind: Which.
        row_count: Its rows.
        filter_count: Filters that were set.
        period_days: The days it covers.
        duration_ms: How long it took.
    """

    report_kind: str
    row_count: int
    filter_count: int
    period_days: int
    duration_ms: Duration


class ReportViewed(TypedDict, total=False):
    """`report_viewed`: a report was looked at.

    Attributes:
        report_kind: Which.
        period_days: The days it covers.
    """

    report_kind: str
    period_days: int


class DataExported(TypedDict, total=False):
    """`data_exported`: data was taken out.

    Attributes:
        export_kind: What: `tickets`, `invoices`, ...
        file_format: `csv`, `xlsx`, `pdf`, ...
        row_count: Rows of it.
        size_bytes: Size of the file.
        duration_ms: How long it took.
    """

    export_kind: str
    file_format: str
    row_count: int
    size_bytes: int
    duration_ms: Duration


class DataImported(TypedDict, total=False):
    """`data_imported`: data was brought in.

    Attributes:
        import_kind: What.
        file_format: `csv`, `xlsx`, ...
        row_count: Rows that were taken.
        failed_row_count: Rows that were not.
        duration_ms: How long it took.
    """

    import_kind: str
    file_format: str
    row_count: int
    failed_row_count: int
    duration_ms: Duration
