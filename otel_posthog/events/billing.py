"""Invoices, payments and plans.

Amounts in the currency's smallest unit (cents), as payment providers have them.
"""

from __future__ import annotations

from typing import TypedDict


class InvoiceCreated(TypedDict, total=False):
    """`invoice_created`: an invoice was made.

    Attributes:
        amount_minor: In the currency's smallest unit.
        currency: ISO 4217.
        line_count: Lines of the invoice.
        is_recurring: Whether it comes again by itself.
    """

    amount_minor: int
    currency: str
    line_count: int
    is_recurring: bool


class InvoiceSent(TypedDict, total=False):
    """`invoice_sent`: an invoice was sent.

    Attributes:
        channel: `mail`, `portal`, `post`, ...
        line_count: Lines of the invoice.
    """

    channel: str
    line_count: int


class InvoicePaid(TypedDict, total=False):
    """`invoice_paid`: an invoice was paid.

    Attributes:
        amount_minor: In the currency's smallest unit.
        currency: ISO 4217.
        payment_method: `card`, `transfer`, `debit`, ...
        overdue_days: Days after it was due; negative before.
    """

    amount_minor: int
    currency: str
    payment_method: str
    overdue_days: int


class PaymentFailed(TypedDict, total=False):
    """`payment_failed`: a payment did not go through.

    Attributes:
        reason: The kind of failure, from a fixed list.
        payment_method: As for a paid invoice.
        attempt_count: How many tries there were.
    """

    reason: str
    payment_method: str
    attempt_count: int


class BillingPlanChanged(TypedDict, total=False):
    """`billing_plan_changed`: a customer changed plans.

    Attributes:
        from_plan: Before.
        to_plan: After.
        billing_period: `month`, `year`.
        seat_count: Seats in the new plan.
    """

    from_plan: str
    to_plan: str
    billing_period: str
    seat_count: int
