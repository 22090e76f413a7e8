"""The events that products commonly track, a class each: what it is, its properties, what each of them means.

Names and properties are made so that they need no personal data: counts, lengths and kinds in place of texts, names and
addresses. `make policy` makes of these classes the names and overloads in `typed.py` and the tables of
`docs/events.md`. The package imports nothing of it at run time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, TypeAlias, TypedDict

Duration: TypeAlias = float | timedelta
"""A number in the unit that the property's name ends in, or a `timedelta` that is written so."""


class UserLoggedIn(TypedDict, total=False):
    """`user_logged_in`: somebody logged in."""

    method: Annotated[str, "`password`, `sso`, `passkey`, ..."]
    is_first: Annotated[bool, "Whether it is their first time."]
    has_second_factor: Annotated[bool, "Whether a second factor was asked for."]


class UserLoggedOut(TypedDict, total=False):
    """`user_logged_out`: somebody logged out, or was."""

    reason: Annotated[str, "`user`, `timeout`, `revoked`."]
    session_duration_s: Annotated[Duration, "How long they were logged in, in seconds."]


class UserSignedUp(TypedDict, total=False):
    """`user_signed_up`: an account was made."""

    method: Annotated[str, "As for log-in."]
    plan: Annotated[str, "The plan they begin with."]
    is_invited: Annotated[bool, "Whether a colleague invited them."]
    referrer_kind: Annotated[str, "`search`, `partner`, `direct`, ...; not the address."]


class LoginFailed(TypedDict, total=False):
    """`login_failed`: somebody did not get in; never with which name, or why."""

    method: Annotated[str, "As for log-in."]
    attempt_count: Annotated[int, "Tries before."]


class PasswordChanged(TypedDict, total=False):
    """`password_changed`: somebody has another password; never which."""

    is_reset: Annotated[bool, "Whether the old one was forgotten."]


class TicketCreated(TypedDict, total=False):
    """`ticket_created`: a ticket was opened."""

    channel: Annotated[str, "`web`, `mail`, `chat`, `api`, ..."]
    priority: Annotated[str, "As the product calls it."]
    category: Annotated[str, "As the product calls it."]
    description_length: Annotated[int, "Characters of the description."]
    attachment_count: Annotated[int, "Files attached."]


class TicketViewed(TypedDict, total=False):
    """`ticket_viewed`: a ticket was looked at."""

    priority: Annotated[str, "Its priority."]
    status: Annotated[str, "Its status."]
    age_hours: Annotated[Duration, "Since it was opened."]


class TicketUpdated(TypedDict, total=False):
    """`ticket_updated`: fields of a ticket were changed."""

    changed_fields: Annotated[list[str], "Names of the fields, not what is in them."]
    status: Annotated[str, "Its status."]


class TicketAssigned(TypedDict, total=False):
    """`ticket_assigned`: a ticket was given to somebody."""

    assignee_kind: Annotated[str, "`person`, `team`, `automation`."]
    is_reassignment: Annotated[bool, "Whether it had been assigned before."]
    age_hours: Annotated[Duration, "Since it was opened."]


class TicketStatusChanged(TypedDict, total=False):
    """`ticket_status_changed`: a ticket went from one status to another."""

    from_status: Annotated[str, "Before."]
    to_status: Annotated[str, "After."]
    age_hours: Annotated[Duration, "Since it was opened."]


class TicketCommented(TypedDict, total=False):
    """`ticket_commented`: a comment was added."""

    comment_length: Annotated[int, "Characters of the comment."]
    is_internal: Annotated[bool, "Whether the customer sees it."]
    attachment_count: Annotated[int, "Files attached."]


class TicketResolved(TypedDict, total=False):
    """`ticket_resolved`: a ticket was done with."""

    resolution: Annotated[str, "As the product calls it."]
    duration_hours: Annotated[Duration, "From open to resolved."]
    comment_count: Annotated[int, "Comments until then."]
    reopen_count: Annotated[int, "How often it had been reopened."]


class WorkItemCreated(TypedDict, total=False):
    """`work_item_created`: a work item was made."""

    item_kind: Annotated[str, "`task`, `bug`, `order`, ..."]
    priority: Annotated[str, "Its priority."]
    source_kind: Annotated[str, "`manual`, `template`, `automation`."]


class WorkItemUpdated(TypedDict, total=False):
    """`work_item_updated`: fields of a work item were changed."""

    item_kind: Annotated[str, "Its kind."]
    changed_fields: Annotated[list[str], "Names of the fields, not what is in them."]


class WorkItemCompleted(TypedDict, total=False):
    """`work_item_completed`: a work item was done."""

    item_kind: Annotated[str, "Its kind."]
    duration_hours: Annotated[Duration, "From made to done."]
    is_on_time: Annotated[bool, "Whether it was done before it was due."]


class TimerStarted(TypedDict, total=False):
    """`timer_started`: a timer was started."""

    item_kind: Annotated[str, "What it runs for: `ticket`, `task`, ..."]


class TimerStopped(TypedDict, total=False):
    """`timer_stopped`: a timer was stopped."""

    item_kind: Annotated[str, "What it ran for."]
    duration_s: Annotated[Duration, "How long, in seconds."]


class TimeEntryCreated(TypedDict, total=False):
    """`time_entry_created`: time was recorded."""

    entry_kind: Annotated[str, "`timer`, `manual`, `import`."]
    item_kind: Annotated[str, "What it is for."]
    duration_minutes: Annotated[Duration, "How long, in minutes."]
    is_billable: Annotated[bool, "Whether it will be billed."]
    note_length: Annotated[int, "Characters of the note."]


class TimeEntryUpdated(TypedDict, total=False):
    """`time_entry_updated`: recorded time was changed."""

    changed_fields: Annotated[list[str], "Names of the fields, not what is in them."]
    duration_minutes: Annotated[Duration, "How long it is now, in minutes."]


class TimeEntriesApproved(TypedDict, total=False):
    """`time_entries_approved`: recorded time was approved."""

    entry_count: Annotated[int, "How many entries."]
    duration_minutes: Annotated[Duration, "Their sum, in minutes."]


class InvoiceCreated(TypedDict, total=False):
    """`invoice_created`: an invoice was made."""

    amount_minor: Annotated[int, "In the currency's smallest unit."]
    currency: Annotated[str, "ISO 4217."]
    line_count: Annotated[int, "Lines of the invoice."]
    is_recurring: Annotated[bool, "Whether it comes again by itself."]


class InvoiceSent(TypedDict, total=False):
    """`invoice_sent`: an invoice was sent."""

    channel: Annotated[str, "`mail`, `portal`, `post`, ..."]
    line_count: Annotated[int, "Lines of the invoice."]


class InvoicePaid(TypedDict, total=False):
    """`invoice_paid`: an invoice was paid."""

    amount_minor: Annotated[int, "In the currency's smallest unit."]
    currency: Annotated[str, "ISO 4217."]
    payment_method: Annotated[str, "`card`, `transfer`, `debit`, ..."]
    overdue_days: Annotated[int, "Days after it was due; negative before."]


class PaymentFailed(TypedDict, total=False):
    """`payment_failed`: a payment did not go through."""

    reason: Annotated[str, "The kind of failure, from a fixed list."]
    payment_method: Annotated[str, "As for a paid invoice."]
    attempt_count: Annotated[int, "How many tries there were."]


class BillingPlanChanged(TypedDict, total=False):
    """`billing_plan_changed`: a customer changed plans."""

    from_plan: Annotated[str, "Before."]
    to_plan: Annotated[str, "After."]
    billing_period: Annotated[str, "`month`, `year`."]
    seat_count: Annotated[int, "Seats in the new plan."]


class ProjectCreated(TypedDict, total=False):
    """`project_created`: a project was made."""

    template_kind: Annotated[str, "The template, or `none`."]
    task_count: Annotated[int, "Tasks in it."]
    is_billable: Annotated[bool, "Whether it will be billed."]


class ProjectUpdated(TypedDict, total=False):
    """`project_updated`: fields of a project were changed."""

    changed_fields: Annotated[list[str], "Names of the fields, not what is in them."]
    status: Annotated[str, "Its status."]


class ProjectTaskCompleted(TypedDict, total=False):
    """`project_task_completed`: a task of a project was done."""

    duration_hours: Annotated[Duration, "From made to done."]
    is_on_time: Annotated[bool, "Whether it was done before it was due."]


class ProjectCompleted(TypedDict, total=False):
    """`project_completed`: a project was done."""

    duration_days: Annotated[Duration, "From made to done."]
    task_count: Annotated[int, "Tasks in it."]
    is_on_time: Annotated[bool, "Whether it was done before it was due."]


class FeatureUsed(TypedDict, total=False):
    """`feature_used`: a feature was used."""

    feature: Annotated[str, "Its name in `snake_case`."]
    surface: Annotated[str, "`web`, `mobile`, `api`, `cli`."]
    is_first_use: Annotated[bool, "Whether it is this user's first time."]
    duration_ms: Annotated[Duration, "How long it took."]


class SearchPerformed(TypedDict, total=False):
    """`search_performed`: something was looked for."""

    route: Annotated[str, "The template of the route, where a request is all that is known."]
    scope: Annotated[str, "What was searched: `tickets`, `customers`, `all`."]
    query_length: Annotated[int, "Characters of the query."]
    word_count: Annotated[int, "Words of the query."]
    filter_count: Annotated[int, "Filters that were set."]
    result_count: Annotated[int, "What was found."]
    duration_ms: Annotated[Duration, "How long it took."]


class SearchResultOpened(TypedDict, total=False):
    """`search_result_opened`: a result was opened."""

    scope: Annotated[str, "What was searched."]
    position: Annotated[int, "Of the result, from 1."]
    result_count: Annotated[int, "How many there were."]


class ReportGenerated(TypedDict, total=False):
    """`report_generated`: a report was made."""

    report_kind: Annotated[str, "Which."]
    row_count: Annotated[int, "Its rows."]
    filter_count: Annotated[int, "Filters that were set."]
    period_days: Annotated[int, "The days it covers."]
    duration_ms: Annotated[Duration, "How long it took."]


class ReportViewed(TypedDict, total=False):
    """`report_viewed`: a report was looked at."""

    report_kind: Annotated[str, "Which."]
    period_days: Annotated[int, "The days it covers."]


class DataExported(TypedDict, total=False):
    """`data_exported`: data was taken out."""

    route: Annotated[str, "The template of the route, where a request is all that is known."]
    export_kind: Annotated[str, "What: `tickets`, `invoices`, ..."]
    file_format: Annotated[str, "`csv`, `xlsx`, `pdf`, ..."]
    row_count: Annotated[int, "Rows of it."]
    size_bytes: Annotated[int, "Size of the file."]
    duration_ms: Annotated[Duration, "How long it took."]


class DataImported(TypedDict, total=False):
    """`data_imported`: data was brought in."""

    import_kind: Annotated[str, "What."]
    file_format: Annotated[str, "`csv`, `xlsx`, ..."]
    row_count: Annotated[int, "Rows that were taken."]
    failed_row_count: Annotated[int, "Rows that were not."]
    duration_ms: Annotated[Duration, "How long it took."]


class PageViewed(TypedDict, total=False):
    """`page_viewed`: a page was opened."""

    route: Annotated[str, "The template of the page's route."]
    from_route: Annotated[str, "That of the page before."]
    surface: Annotated[str, "`web`, `mobile`, ..."]
    method: Annotated[str, "The HTTP method."]
    status_class: Annotated[str, "`2xx` to `5xx`."]
    load_duration_ms: Annotated[Duration, "Until it could be used."]
    duration_ms: Annotated[Duration, "How long the server took."]
    is_slow: Annotated[bool, "Whether that is longer than it should."]


class TabChanged(TypedDict, total=False):
    """`tab_changed`: another part of a page was opened."""

    route: Annotated[str, "The template of the page's route."]
    tab: Annotated[str, "The part's name in `snake_case`."]


class JourneyStarted(TypedDict, total=False):
    """`journey_started`: somebody set out."""

    journey: Annotated[str, "Its name in `snake_case`."]
    entry_point: Annotated[str, "Where from: `menu`, `invitation`, ..."]
    step_count: Annotated[int, "Steps it has."]


class JourneyStepCompleted(TypedDict, total=False):
    """`journey_step_completed`: a step was taken."""

    journey: Annotated[str, "Its name."]
    step: Annotated[str, "The step's name in `snake_case`."]
    step_number: Annotated[int, "From 1."]
    step_count: Annotated[int, "Steps it has."]
    attempt_count: Annotated[int, "Tries that it took."]
    duration_ms: Annotated[Duration, "How long the step took."]


class JourneyCompleted(TypedDict, total=False):
    """`journey_completed`: somebody arrived."""

    journey: Annotated[str, "Its name."]
    step_count: Annotated[int, "Steps they took."]
    duration_s: Annotated[Duration, "From start to end, in seconds."]


class JourneyAbandoned(TypedDict, total=False):
    """`journey_abandoned`: somebody left on the way."""

    journey: Annotated[str, "Its name."]
    step: Annotated[str, "The last step."]
    step_number: Annotated[int, "From 1."]
    reason: Annotated[str, "From a fixed list."]
    error_type: Annotated[str, "The kind of error that ended it, never its message."]
    duration_s: Annotated[Duration, "Since the start, in seconds."]
