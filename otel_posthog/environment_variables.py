"""The environment variables that this package reads, in one place.

Those that begin with `OTEL_` become options of `opentelemetry-instrument` (`--posthog_policy FILE`, ...), which loads
this module by its entry point. Standard `OTEL_*` variables keep their meaning; those that are read here must not be
attributes that begin with `OTEL_`: an option that two modules name ends `opentelemetry-instrument` with an error.
"""

from __future__ import annotations

POSTHOG_API_KEY = "POSTHOG_API_KEY"
"""The project's key (`phc_...`). Without one, here or in the policy, nothing is collected."""

POSTHOG_HOST = "POSTHOG_HOST"
"""The ingestion host, e.g. `https://eu.i.posthog.com`. Default: `https://us.i.posthog.com`."""

OTEL_POSTHOG_ENABLED = "OTEL_POSTHOG_ENABLED"
"""`false` switches collection off; `preview` does all but send, `console` prints each event as well."""

OTEL_POSTHOG_POLICY = "OTEL_POSTHOG_POLICY"
"""Path of the policy file (YAML)."""

OTEL_POSTHOG_DERIVE = "OTEL_POSTHOG_DERIVE"
"""Words for rules that make product events of telemetry, separated by commas: `web,db,jobs`; added to the policy's."""

OTEL_POSTHOG_SAMPLER = "OTEL_POSTHOG_SAMPLER"
"""Which unsampled spans are recorded for product events: `all` (default), `marked` (only those that carry an
`analytics.*` attribute when they start) or `off`."""

OTEL_POSTHOG_LIGHT_SPANS = "OTEL_POSTHOG_LIGHT_SPANS"
"""`false` has the SDK record unsampled spans whole, though nobody but this package sees them; default `true`."""

OTEL_POSTHOG_BRIDGE = "OTEL_POSTHOG_BRIDGE"
"""`true` takes what the app sends with posthog-python through this pipeline; wins over `collection.bridge`."""

OTEL_POSTHOG_INSPECT = "OTEL_POSTHOG_INSPECT"
"""`1` lets this user's `otel-posthog inspect` and `tail` look on, over a socket in the state directory; a path: in that
directory. Default: off."""

OTEL_POSTHOG_INSPECT_VALUES = "OTEL_POSTHOG_INSPECT_VALUES"
"""`1` shows them values as they were before the filters, too. Default: off."""

OTEL_POSTHOG_STATE_DIR = "OTEL_POSTHOG_STATE_DIR"
"""Where the installation's id and the notice's mark are kept. Default: the user's state directory."""

OTEL_POSTHOG_SPOOL_DIR = "OTEL_POSTHOG_SPOOL_DIR"
"""Where events wait on disk. Default: the folder `spool` in the state directory."""

OTEL_POSTHOG_EXIT_TRY_S = "OTEL_POSTHOG_EXIT_TRY_S"
"""How many seconds what is on disk holds the exit of the process up without progress. Default: the policy's, 1."""

USAGE_STATS = "USAGE_STATS"
"""`false` switches collection off; a policy can name aliases (`collection.off_switches`)."""

DO_NOT_TRACK = "DO_NOT_TRACK"
"""`1` or `true` switches collection off (https://consoledonottrack.com)."""

SDK_DISABLED = "OTEL_SDK_DISABLED"
"""`true` switches all of OpenTelemetry off, and collection with it."""
REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE = "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"
"""A file or folder of the certificates to believe, as requests and curl read them. Default: the system's."""

CONFIG_FILE = "OTEL_CONFIG_FILE"
"""A standard one: the SDK's configuration file; it may name the instrumentor `posthog` with options, or disable it."""

DISABLED_INSTRUMENTATIONS = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
"""A standard one: `posthog` in its list keeps `opentelemetry-instrument` from setting this package up at all."""

ANALYTICS_ANONYMIZE_USER_IDS = "ANALYTICS_ANONYMIZE_USER_IDS"
"""`true` selects the identity mode `installation`, `false` selects `identified`; wins over the policy."""

OTEL_POSTHOG_IDENTITY = "OTEL_POSTHOG_IDENTITY"
"""The identity mode: `unlinked`, `installation` (default), `daily`, `pseudonymous` or `identified`; wins over the
policy."""

OTEL_POSTHOG_IDENTITY_KEYS_FILE = "OTEL_POSTHOG_IDENTITY_KEYS_FILE"
"""Path of the file with the keys of the mode `pseudonymous`, one a line, each with the time from which it is used."""

# Its attribute has no `OTEL_`: as an option of `opentelemetry-instrument` a key would stand on a command line, where
# every user of the machine can read it.
IDENTITY_KEYS = "OTEL_POSTHOG_IDENTITY_KEYS"
"""The keys themselves, as in the file, separated by commas."""

OTEL_POSTHOG_IDENTITY_USER_ATTRIBUTE = "OTEL_POSTHOG_IDENTITY_USER_ATTRIBUTE"
"""Which attribute of a web framework's user object is the user's id; wins over the policy's `identity_user`."""

OTEL_POSTHOG_IDENTITY_BAGGAGE = "OTEL_POSTHOG_IDENTITY_BAGGAGE"
"""Whether the user's pseudonym and consent travel in baggage: `none` (default), `send`, `accept` or `both`."""

INSTANCE_ID = "INSTANCE_ID"
"""A stable id of this installation; hashed before it is sent. Default: generated once and stored, or as often as
`installation_rotation` says, which this contradicts."""

# No `OTEL_` here either, for the same reason.
GATEWAY_TOKENS = "OTEL_POSTHOG_GATEWAY_TOKENS"
"""Bearer tokens that `otel-posthog gateway` takes, separated by commas."""

GATEWAY_BACKEND_HEADERS = "OTEL_POSTHOG_GATEWAY_BACKEND_HEADERS"
"""Headers for the backend of `otel-posthog gateway --operational`: `name=value`, separated by commas, as
`OTEL_EXPORTER_OTLP_HEADERS` has them."""

UUID_KEY = "OTEL_POSTHOG_UUID_KEY"
"""The key by which gateways, and Collectors before them, make uuids of log records. Default: the installation's."""
