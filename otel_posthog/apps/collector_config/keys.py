"""Keys by their words, as regular expressions of RE2, which has no look-around.

Most of the time goes into keys, since a Collector meets the same ones again and again: those that most items have are
listed, and looked up.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from otel_posthog.apps.collector_config.ottl import FIELDS, HELD
from otel_posthog.privacy.words import COUNTERS, JOINED


def blocked_keys(sensitive_keys: Collection[str]) -> list[str]:
    """Return the patterns of keys whose values are replaced: words as whole tokens, long ones anywhere in a key.

    Args:
        sensitive_keys: Words, as in `PrivacyPolicy.sensitive_keys`.
    """
    words = sorted(sensitive_keys)
    long = [word for word in words if len(word) > _TOKEN_CHARS or " " in word]
    short = "|".join(spelt(word) for word in words if word not in long)
    return [
        *([rf"(?i:(?:^|[^\pL])(?:{short})(?:[^\pL]|\z))"] if short else []),
        *([rf"(?i:{'|'.join(spelt(word) for word in long)})"] if long else []),
        *_joined(words),
    ]


def blocked_humps(sensitive_keys: Collection[str]) -> list[str]:
    """Return the patterns of keys with one of these words among several without a gap: `userEmail`, `zipCode`."""
    capital = "|".join(word.capitalize() for word in sorted(sensitive_keys) if word.isascii() and word.isalpha())
    if not capital:
        return []
    return [rf"[a-z0-9](?:{capital})(?:[^a-z]|\z)", rf"(?:^|[^\pL])(?:{capital.lower()})[A-Z]"]


def id_keys(words: Collection[str]) -> list[str]:
    """Return the patterns of keys that are named like a person's id.

    Args:
        words: As in `PrivacyPolicy.id_keys`.
    """
    named = "|".join(spelt(word) for word in sorted(words))
    return [rf"(?i:(?:^|[^\pL])(?:{named})s?(?:[^\pL]|\z))"] if words else []


def id_humps(words: Collection[str]) -> list[str]:
    """Return the same without a gap: `currentUserId`."""
    camel = "|".join(camel_case(word) for word in sorted(words))
    return [rf"[a-z0-9](?:{camel})s?(?:[^a-z]|\z)"] if words else []


NO_HUMPS = r"^[^A-Z]*\z"
"""Matches keys without a capital."""


# Longer words are matched anywhere: unlike `auth` in `author` or `lat` in `latency`, they are part of no usual word.
_TOKEN_CHARS = 7

HARMLESS_KEYS = (
    r"^process\.(?:real_|saved_)?user\.id\z",
    r"(?i:(?:^|[^\pL])(?:ip|mac|peer|local|remote|listen|bind|server|memory|host)[ _.-]?address\z)",
    r"(?i:(?:client|source|destination)[ _.-]?address\z)",
    r"(?i:(?:address[ _.-]?family|auth[ _.-]?(?:method|type)|token[ _.-]?(?:count|type))\z)",
)
"""Technical terms in which a sensitive word is harmless, as in the filters; their values are searched all the same."""

COUNTING_KEYS = rf"(?i:[ _.-](?:{'|'.join(sorted(COUNTERS))})\z)"
"""Matches keys under which a number counts (`pin.count`), and only texts are sensitive."""


def texts_under_counting_keys(sensitive_keys: Collection[str]) -> str:
    """Return the pattern of keys under which a number counts, and a text is sensitive: `password_count`.

    Args:
        sensitive_keys: Words, as in `PrivacyPolicy.sensitive_keys`.
    """
    named = "|".join(spelt(word) for word in sorted(sensitive_keys))
    return rf"(?i:(?:^|[^\pL])(?:{named})[^\pL](?:.*[ _.-])?(?:{'|'.join(sorted(COUNTERS))})\z)"


# `userId`, `http2`, `utf8mb4`, `K8S`: a key of a vendor has more changes between letters, capitals and digits.
_WORD_OF_A_NAME = (
    r"(?:\p{Lu}{0,5}[\p{Ll}\p{Lo}]{2}[\p{Ll}\p{Lo}]*(?:\p{Lu}[\p{Ll}\p{Lo}]{2}[\p{Ll}\p{Lo}]*)*\p{Lu}{0,4}[0-9]{0,3}"
    r"(?:\p{Ll}{1,8}[0-9]?)?|\pL[0-9]{0,2}\p{Ll}{0,3}|\p{Lu}{1,20}[0-9]{0,2})"
)
NAMES = rf"^_{{0,2}}{_WORD_OF_A_NAME}(?:[_./:-]{{1,2}}{_WORD_OF_A_NAME}(?:\.[0-9]{{1,3}})?)*\z"
"""Matches keys and names that are made of words. Others may hold personal data or a secret themselves, and go."""

HOMES = r"(?i)/home/|(?:^|[.:]|/mnt/[a-z])/users/"
"""Matches keys that are paths inside somebody's home directory, which are made of words."""


def spelt(word: str) -> str:
    """Return `word` with any of the gaps that keys have between words, in RE2."""
    return r"[ _.-]?".join(re.escape(part) for part in word.split())


def camel_case(word: str) -> str:
    """Return `word` in camel case: `UserId`, `UserID`."""
    return "".join(part.capitalize() if part != "id" else "I[dD]" for part in word.split())


def _joined(words: list[str]) -> Iterator[str]:
    """Yield the pattern of credentials at the end of longer words: `clientsecret`."""
    endings = sorted(JOINED.intersection(words))
    if endings:
        yield rf"(?i:(?:{'|'.join(endings)})s?(?:[^\pL]|\z))"


_USUAL = """\
http.request.method http.response.status_code http.route http.request.body.size http.response.body.size http.method
http.status_code http.target http.url http.scheme http.host http.flavor http.request.resend_count url.full url.path
url.query url.scheme url.template server.address server.port client.address client.port network.protocol.name
network.protocol.version network.peer.address network.peer.port network.transport network.type net.host.name
net.host.port net.peer.name net.peer.port user_agent.original error.type exception.type exception.message
exception.stacktrace exception.escaped code.function.name code.line.number code.file.path code.function code.lineno
code.filepath code.namespace thread.id thread.name log.iostream log.file.name logger.name service.name
service.version service.namespace service.instance.id telemetry.sdk.name telemetry.sdk.language
telemetry.sdk.version telemetry.distro.name telemetry.distro.version deployment.environment.name
deployment.environment host.name host.id host.arch host.type os.type os.version os.description process.pid
process.command process.command_args process.executable.name process.executable.path process.runtime.name
process.runtime.version process.runtime.description container.id container.name container.image.name
k8s.cluster.name k8s.namespace.name k8s.node.name k8s.pod.name k8s.pod.uid k8s.deployment.name k8s.container.name
cloud.provider cloud.region cloud.availability_zone cloud.account.id cloud.platform db.system db.system.name
db.operation.name db.operation db.statement db.query.text db.query.summary db.namespace db.name db.collection.name
db.response.status_code messaging.system messaging.destination.name messaging.operation.name
messaging.operation.type messaging.message.id messaging.batch.message_count rpc.system rpc.service rpc.method
rpc.grpc.status_code gen_ai.operation.name gen_ai.request.model gen_ai.response.model status.code span.kind span.name
"""


def harmless_usual_keys(blocked: Collection[str]) -> list[str]:
    """Return the keys that most items have and no pattern of `blocked` matches: none has to be tried on them."""
    tried = [re.compile(pattern.replace(r"\pL", "A-Za-z").replace(r"\z", r"\Z")) for pattern in blocked]
    held = [HELD + field for fields in FIELDS.values() for field in (*fields, "body")]
    return [key for key in sorted({*_USUAL.split(), *held}) if not any(each.search(key) for each in tried)]
