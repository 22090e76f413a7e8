"""The built-in lists: which telemetry keys may pass, which words make a key sensitive, which keys name a user.

The telemetry keys are semantic-convention attributes that are stable, of low cardinality and about the program, not
about a person (https://opentelemetry.io/docs/specs/semconv/). A policy file replaces or extends each list.
"""

from __future__ import annotations

ALLOWED_TELEMETRY_KEYS = frozenset(
    {
        "http.route",
        "http.request.method",
        "http.response.status_code",
        # The same two as older instrumentations still spell them.
        "http.method",
        "http.status_code",
        "error.type",
        "rpc.system",
        "rpc.service",
        "rpc.method",
        "db.system.name",
        "db.operation.name",
        "messaging.system",
        "messaging.operation.name",
        "service.name",
        "service.namespace",
        "service.version",
        "deployment.environment.name",
        "telemetry.sdk.language",
        "os.type",
        "process.runtime.name",
        "process.runtime.version",
    }
)

# Whole tokens of a key after splitting at punctuation, digits' edges and camelCase humps; "api key" means the two
# words next to each other. After the semantic conventions' own list of sensitive names and the headers of RFC 9110.
SENSITIVE_KEYS = frozenset(
    {
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "secrets",
        "credential",
        "credentials",
        "token",
        "jwt",
        "auth",
        "authorization",
        "authentication",
        "bearer",
        "cookie",
        "cookies",
        "csrf",
        "xsrf",
        "otp",
        "pin",
        "cvv",
        "cvc",
        "ssn",
        "iban",
        "email",
        "mail",
        "phone",
        "mobile",
        "fax",
        "address",
        "street",
        "postcode",
        "zip",
        "zip code",
        "postal code",
        "latitude",
        "lat",
        "lng",
        "lon",
        "longitude",
        "coordinates",
        "gps",
        "imei",
        "imsi",
        "idfa",
        "birthday",
        "birthdate",
        "dob",
        "api key",
        "apikey",
        "access key",
        "private key",
        "secret key",
        "encryption key",
        "signing key",
        "session key",
        "credit card",
        "card number",
        "account number",
        "routing number",
        "social security",
        "date of birth",
        "first name",
        "last name",
        "full name",
        "given name",
        "family name",
        "user name",
        "username",
        "surname",
        "national id",
        "national number",
        "personal number",
        "identity number",
        "driver license",
        "drivers license",
        "driving licence",
        "license number",
        "middle name",
        "maiden name",
        "customer name",
        "contact name",
        "cardholder",
        "security code",
        "verification code",
        "recovery code",
        "seed phrase",
        "phone number",
        "email address",
        "access token",
        "refresh token",
        "auth token",
        "passport",
        "tax id",
    }
)

DETECTORS = frozenset(
    {"email", "ip", "mac", "card", "iban", "phone", "ssn", "national_id", "jwt", "secret", "gps", "username"}
)

USER_KEYS = frozenset(
    {
        "session.id",
        "sessionId",
        "posthog.session_id",
        "posthogDistinctId",
        "posthog.distinct_id",
        "posthogSessionId",
    }
)
USER_KEY_PREFIXES = ("user.", "enduser.")
