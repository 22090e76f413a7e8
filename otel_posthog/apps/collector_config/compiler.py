"""A policy in, the Collector's configuration of its processors out, as YAML that is the same for the same policy."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import yaml

from otel_posthog.apps.collector_config.operational import operational
from otel_posthog.apps.collector_config.product import EXACT, KEY, product
from otel_posthog.policy import HitMethod, Policy

_WIDTH = 116

HEADER = """\
# The policy of otel-posthog as processors of the OpenTelemetry Collector: {source}.
# Made by `otel-posthog collector-config` {version}; make it anew where the policy changes, and change nothing here.
#
# It defines processors and no pipeline. Use it with a file that has them:
#   otelcol --config base.yaml --config privacy.yaml --config grafana.yaml --config posthog.yaml --config both.yaml
# and let each pipeline have them in this order:
#   operational  {operational}
#   product      {product}
#
# Every step fails closed: what a step fails on goes nowhere (`error_mode: propagate`).
# What the Collector cannot do as the filters of the package do:
{differences}
"""


def compiled(policy: Policy, source: str) -> str:
    """Return the configuration.

    Args:
        policy: What may go where.
        source: What the header is to call it (`policy.yaml`, `the built-in policy`).
    """
    sides = operational(policy), product(policy)
    head = HEADER.format(
        source=source,
        version=version("otel-posthog"),
        operational=", ".join(sides[0]),
        product=", ".join(sides[1]),
        differences="\n".join(f"#   - {line}" for line in _differences(policy)),
    )
    return head + "\n" + _written({"processors": {**sides[0], **sides[1]}})


def _differences(policy: Policy) -> list[str]:
    """Return what is done otherwise, a line each."""
    rest = ", ".join(sorted(set(policy.privacy.detectors) - set(EXACT)))
    lines = [
        "Checksums and the words around cannot be asked for: on the operational side every number of 10 to 19 digits,",
        "  and all that is shaped like a phone number, goes. Hits are replaced by ****, not by [email] or [phone].",
        "Bytes cannot be looked into: those with an at sign go, and so do bodies of bytes; others stay.",
        "Encodings are not taken off, but for the at sign of an e-mail address.",
        f"On the product side {rest or 'nothing more'} are left to the gateway, which looks at everything once more.",
        "Links of spans cannot be changed: on the operational side spans with links go nowhere, unless the app has",
        "  this package, which has redacted them.",
        "Descriptions of metrics and attributes of exemplars go; metrics whose name is no instrument's go nowhere.",
        "On the product side bodies, span names, status messages, stack traces and messages of exceptions stay behind.",
    ]
    other = sorted(name for name, method in policy.privacy.detectors.items() if method is not HitMethod.REPLACE)
    if other:
        lines.append(f"The methods of {', '.join(other)} are the gateway's; here their hits are replaced.")
    if policy.privacy.rules:
        lines.append("`privacy.rules` are the gateway's: on the operational side they do not exist.")
    return lines


def _written(content: dict[str, Any]) -> str:
    text = yaml.dump(content, sort_keys=False, allow_unicode=True, width=_WIDTH, Dumper=_Dumper)
    # The Collector takes a single dollar sign for the beginning of a variable.
    return str(text).replace("$", "$$").replace(f"${KEY}", KEY)


class _Dumper(yaml.SafeDumper):
    """Lists below their key, and no anchors: the Collector's own way, and what people expect to read."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - the same
        super().increase_indent(flow, False)
