"""The properties of an event as a plain dict, checked by the type checker and never at run time."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, TypeAlias, overload

from typing_extensions import Unpack

from otel_posthog.events.account import UserLoggedIn, UserLoggedOut, UserSignedUp
from otel_posthog.events.billing import BillingPlanChanged, InvoiceCreated, InvoicePaid, InvoiceSent, PaymentFailed
from otel_posthog.events.durations import in_unit
from otel_posthog.events.journeys import JourneyAbandoned, JourneyCompleted, JourneyStarted, JourneyStepCompleted
from otel_posthog.events.names import AnalyticsEvents
from otel_posthog.events.navigation import PageViewed, TabChanged
from otel_posthog.events.projects import ProjectCompleted, ProjectCreated, ProjectTaskCompleted, ProjectUpdated
from otel_posthog.events.reliability import ApiErrorOccurred, PerformanceMeasured
from otel_posthog.events.reports import DataExported, DataImported, ReportGenerated, ReportViewed
from otel_posthog.events.tickets import (
    TicketAssigned,
    TicketCommented,
    TicketCreated,
    TicketResolved,
    TicketStatusChanged,
    TicketUpdated,
    TicketViewed,
)
from otel_posthog.events.time_entries import (
    TimeEntriesApproved,
    TimeEntryCreated,
    TimeEntryUpdated,
    TimerStarted,
    TimerStopped,
)
from otel_posthog.events.usage import FeatureUsed, SearchPerformed, SearchResultOpened
from otel_posthog.events.work_items import WorkItemCompleted, WorkItemCreated, WorkItemUpdated

Properties: TypeAlias = dict[str, object]


@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.USER_LOGGED_IN], /, **properties: Unpack[UserLoggedIn]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.USER_LOGGED_OUT], /, **properties: Unpack[UserLoggedOut]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.USER_SIGNED_UP], /, **properties: Unpack[UserSignedUp]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_CREATED], /, **properties: Unpack[TicketCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_VIEWED], /, **properties: Unpack[TicketViewed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_UPDATED], /, **properties: Unpack[TicketUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_ASSIGNED], /, **properties: Unpack[TicketAssigned]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_STATUS_CHANGED], /, **properties: Unpack[TicketStatusChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_COMMENTED], /, **properties: Unpack[TicketCommented]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TICKET_RESOLVED], /, **properties: Unpack[TicketResolved]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.WORK_ITEM_CREATED], /, **properties: Unpack[WorkItemCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.WORK_ITEM_UPDATED], /, **properties: Unpack[WorkItemUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.WORK_ITEM_COMPLETED], /, **properties: Unpack[WorkItemCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIMER_STARTED], /, **properties: Unpack[TimerStarted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIMER_STOPPED], /, **properties: Unpack[TimerStopped]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIME_ENTRY_CREATED], /, **properties: Unpack[TimeEntryCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIME_ENTRY_UPDATED], /, **properties: Unpack[TimeEntryUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TIME_ENTRIES_APPROVED], /, **properties: Unpack[TimeEntriesApproved]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.INVOICE_CREATED], /, **properties: Unpack[InvoiceCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.INVOICE_SENT], /, **properties: Unpack[InvoiceSent]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.INVOICE_PAID], /, **properties: Unpack[InvoicePaid]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PAYMENT_FAILED], /, **properties: Unpack[PaymentFailed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.BILLING_PLAN_CHANGED], /, **properties: Unpack[BillingPlanChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_CREATED], /, **properties: Unpack[ProjectCreated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_UPDATED], /, **properties: Unpack[ProjectUpdated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_TASK_COMPLETED], /, **properties: Unpack[ProjectTaskCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PROJECT_COMPLETED], /, **properties: Unpack[ProjectCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.FEATURE_USED], /, **properties: Unpack[FeatureUsed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.SEARCH_PERFORMED], /, **properties: Unpack[SearchPerformed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.SEARCH_RESULT_OPENED], /, **properties: Unpack[SearchResultOpened]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.REPORT_GENERATED], /, **properties: Unpack[ReportGenerated]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.REPORT_VIEWED], /, **properties: Unpack[ReportViewed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.DATA_EXPORTED], /, **properties: Unpack[DataExported]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.DATA_IMPORTED], /, **properties: Unpack[DataImported]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PAGE_VIEWED], /, **properties: Unpack[PageViewed]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.TAB_CHANGED], /, **properties: Unpack[TabChanged]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.API_ERROR_OCCURRED], /, **properties: Unpack[ApiErrorOccurred]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.PERFORMANCE_MEASURED], /, **properties: Unpack[PerformanceMeasured]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_STARTED], /, **properties: Unpack[JourneyStarted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_STEP_COMPLETED], /, **properties: Unpack[JourneyStepCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_COMPLETED], /, **properties: Unpack[JourneyCompleted]
) -> Properties: ...
@overload
def create_event_properties(
    event: Literal[AnalyticsEvents.JOURNEY_ABANDONED], /, **properties: Unpack[JourneyAbandoned]
) -> Properties: ...
def create_event_properties(event: str, /, **properties: object) -> Properties:  # noqa: ARG001 - it is for the type checker
    """Return the properties of `event`, ready for `capture()`.

    A property that is None is left out. A `timedelta` is written as a number in the unit that its name ends in
    (`duration_ms`, `duration_s`, `duration_minutes`, `age_hours`, `duration_days`); a name without one gets `_ms`.
    Properties beside the declared ones go along, for an app's own; all of them meet the privacy filters later.

    Args:
        event: One of `AnalyticsEvents`; it decides which properties a type checker takes.
        properties: See the class of the event in this package.
    """
    built: Properties = {}
    for name, value in properties.items():
        if isinstance(value, timedelta):
            key, number = in_unit(name, value)
            built[key] = number
        elif value is not None:
            built[name] = value
    return built
