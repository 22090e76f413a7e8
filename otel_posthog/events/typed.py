"""The names of usual events, and their properties as a plain dict: checked by the type checker, never at run time.

The names and the overloads are made by `make policy` of the classes in `usual.py`; the rest is written by hand. Runs on
the caller's thread, and raises nothing.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeAlias, overload

from typing_extensions import Unpack

if TYPE_CHECKING:
    from otel_posthog.events import services, usual

Properties: TypeAlias = dict[str, object]

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}
_DECIMALS = 3


# Made by `make policy` from `usual.py`:
class AnalyticsEvents(str, Enum):
    """Names of events; a member is its name, wherever a text is taken.

    Each has a class with its properties in `usual.py` or `services.py`, and `docs/events.md` lists them all.
    """

    # account
    USER_LOGGED_IN = "user_logged_in"
    USER_LOGGED_OUT = "user_logged_out"
    USER_SIGNED_UP = "user_signed_up"
    LOGIN_FAILED = "login_failed"
    PASSWORD_CHANGED = "password_changed"

    # tickets
    TICKET_CREATED = "ticket_created"
    TICKET_VIEWED = "ticket_viewed"
    TICKET_UPDATED = "ticket_updated"
    TICKET_ASSIGNED = "ticket_assigned"
    TICKET_STATUS_CHANGED = "ticket_status_changed"
    TICKET_COMMENTED = "ticket_commented"
    TICKET_RESOLVED = "ticket_resolved"

    # work items
    WORK_ITEM_CREATED = "work_item_created"
    WORK_ITEM_UPDATED = "work_item_updated"
    WORK_ITEM_COMPLETED = "work_item_completed"

    # time entries
    TIMER_STARTED = "timer_started"
    TIMER_STOPPED = "timer_stopped"
    TIME_ENTRY_CREATED = "time_entry_created"
    TIME_ENTRY_UPDATED = "time_entry_updated"
    TIME_ENTRIES_APPROVED = "time_entries_approved"

    # billing
    INVOICE_CREATED = "invoice_created"
    INVOICE_SENT = "invoice_sent"
    INVOICE_PAID = "invoice_paid"
    PAYMENT_FAILED = "payment_failed"
    BILLING_PLAN_CHANGED = "billing_plan_changed"

    # projects
    PROJECT_CREATED = "project_created"
    PROJECT_UPDATED = "project_updated"
    PROJECT_TASK_COMPLETED = "project_task_completed"
    PROJECT_COMPLETED = "project_completed"

    # usage
    FEATURE_USED = "feature_used"
    SEARCH_PERFORMED = "search_performed"
    SEARCH_RESULT_OPENED = "search_result_opened"

    # reports
    REPORT_GENERATED = "report_generated"
    REPORT_VIEWED = "report_viewed"
    DATA_EXPORTED = "data_exported"
    DATA_IMPORTED = "data_imported"

    # navigation
    PAGE_VIEWED = "page_viewed"
    TAB_CHANGED = "tab_changed"

    # journeys
    JOURNEY_STARTED = "journey_started"
    JOURNEY_STEP_COMPLETED = "journey_step_completed"
    JOURNEY_COMPLETED = "journey_completed"
    JOURNEY_ABANDONED = "journey_abandoned"

    # reliability
    API_REQUEST = "api_request"
    API_ERROR_OCCURRED = "api_error_occurred"
    API_TIMEOUT = "api_timeout"
    EXTERNAL_CALL_FAILED = "external_call_failed"
    SLOW_QUERY = "slow_query"
    SLOW_OPERATION = "slow_operation"
    PERFORMANCE_MEASURED = "performance_measured"

    # background
    JOB_COMPLETED = "job_completed"
    JOB_FAILED = "job_failed"
    MESSAGE_PROCESSED = "message_processed"

    # As in the StrEnum of Python 3.11: what is printed or put into a text is the name of the event.
    __str__ = str.__str__


@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.USER_LOGGED_IN], /, **properties: Unpack[usual.UserLoggedIn]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.USER_LOGGED_OUT], /, **properties: Unpack[usual.UserLoggedOut]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.USER_SIGNED_UP], /, **properties: Unpack[usual.UserSignedUp]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.LOGIN_FAILED], /, **properties: Unpack[usual.LoginFailed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PASSWORD_CHANGED], /, **properties: Unpack[usual.PasswordChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_CREATED], /, **properties: Unpack[usual.TicketCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_VIEWED], /, **properties: Unpack[usual.TicketViewed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_UPDATED], /, **properties: Unpack[usual.TicketUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_ASSIGNED], /, **properties: Unpack[usual.TicketAssigned]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_STATUS_CHANGED], /, **properties: Unpack[usual.TicketStatusChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_COMMENTED], /, **properties: Unpack[usual.TicketCommented]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_RESOLVED], /, **properties: Unpack[usual.TicketResolved]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.WORK_ITEM_CREATED], /, **properties: Unpack[usual.WorkItemCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.WORK_ITEM_UPDATED], /, **properties: Unpack[usual.WorkItemUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.WORK_ITEM_COMPLETED], /, **properties: Unpack[usual.WorkItemCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIMER_STARTED], /, **properties: Unpack[usual.TimerStarted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIMER_STOPPED], /, **properties: Unpack[usual.TimerStopped]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIME_ENTRY_CREATED], /, **properties: Unpack[usual.TimeEntryCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIME_ENTRY_UPDATED], /, **properties: Unpack[usual.TimeEntryUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIME_ENTRIES_APPROVED], /, **properties: Unpack[usual.TimeEntriesApproved]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.INVOICE_CREATED], /, **properties: Unpack[usual.InvoiceCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.INVOICE_SENT], /, **properties: Unpack[usual.InvoiceSent]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.INVOICE_PAID], /, **properties: Unpack[usual.InvoicePaid]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PAYMENT_FAILED], /, **properties: Unpack[usual.PaymentFailed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.BILLING_PLAN_CHANGED], /, **properties: Unpack[usual.BillingPlanChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_CREATED], /, **properties: Unpack[usual.ProjectCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_UPDATED], /, **properties: Unpack[usual.ProjectUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_TASK_COMPLETED], /, **properties: Unpack[usual.ProjectTaskCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_COMPLETED], /, **properties: Unpack[usual.ProjectCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.FEATURE_USED], /, **properties: Unpack[usual.FeatureUsed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.SEARCH_PERFORMED], /, **properties: Unpack[usual.SearchPerformed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.SEARCH_RESULT_OPENED], /, **properties: Unpack[usual.SearchResultOpened]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.REPORT_GENERATED], /, **properties: Unpack[usual.ReportGenerated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.REPORT_VIEWED], /, **properties: Unpack[usual.ReportViewed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.DATA_EXPORTED], /, **properties: Unpack[usual.DataExported]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.DATA_IMPORTED], /, **properties: Unpack[usual.DataImported]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PAGE_VIEWED], /, **properties: Unpack[usual.PageViewed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TAB_CHANGED], /, **properties: Unpack[usual.TabChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_STARTED], /, **properties: Unpack[usual.JourneyStarted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_STEP_COMPLETED], /, **properties: Unpack[usual.JourneyStepCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_COMPLETED], /, **properties: Unpack[usual.JourneyCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_ABANDONED], /, **properties: Unpack[usual.JourneyAbandoned]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.API_REQUEST], /, **properties: Unpack[services.ApiRequest]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.API_ERROR_OCCURRED], /, **properties: Unpack[services.ApiErrorOccurred]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.API_TIMEOUT], /, **properties: Unpack[services.ApiTimeout]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.EXTERNAL_CALL_FAILED], /, **properties: Unpack[services.ExternalCallFailed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.SLOW_QUERY], /, **properties: Unpack[services.SlowQuery]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.SLOW_OPERATION], /, **properties: Unpack[services.SlowOperation]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PERFORMANCE_MEASURED], /, **properties: Unpack[services.PerformanceMeasured]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOB_COMPLETED], /, **properties: Unpack[services.JobCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOB_FAILED], /, **properties: Unpack[services.JobFailed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.MESSAGE_PROCESSED], /, **properties: Unpack[services.MessageProcessed]
) -> Properties: ...
# Until here.
def create_event_properties(event: str, /, **properties: object) -> Properties:  # noqa: ARG001 - it is for the type checker
    """Return the properties of `event`, ready for `capture()`.

    A property that is None is left out. A `timedelta` is written as a number in the unit that its name ends in
    (`duration_ms`, `duration_s`, `duration_minutes`, `age_hours`, `duration_days`); a name without one gets `_ms`.
    Properties beside the declared ones go along, for an app's own; all of them meet the privacy filters later.

    Args:
        event: One of `AnalyticsEvents`; it decides which properties a type checker takes.
        properties: See the class of the event in `otel_posthog.events.usual`.
    """
    built: Properties = {}
    for name, value in properties.items():
        if isinstance(value, timedelta):
            key, number = _in_unit(name, value)
            built[key] = number
        elif value is not None:
            built[name] = value
    return built


def _in_unit(name: str, duration: timedelta) -> tuple[str, float]:
    """Return the name of a property and its value: `duration` in the unit that `name` ends in, else in milliseconds."""
    unit = name.rpartition("_")[2]
    if unit not in _UNITS:
        name, unit = f"{name}_ms", "ms"
    return name, round(duration / _UNITS[unit], _DECIMALS)
