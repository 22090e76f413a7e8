"""`otel-posthog policy`: check a policy file, show what is in force, print the schema.

Comes in: a policy file and this environment. Goes out: lines on standard output, an exit status. Keys and passwords are
shown redacted. What the verbs need is imported by them, so that `--help` comes at once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otel_posthog import environment_variables as env
from otel_posthog.apps.parser import Page, add_subcommand
from otel_posthog.errors import ConfigurationError, OtelPostHogError

if TYPE_CHECKING:
    from otel_posthog.policy import Policy

NAME = "policy"
SUMMARY = "check a policy file, show what is in force, print the schema"
DESCRIPTION = """\
Check a policy file before it is deployed, show the policy that a process with
this environment would have (keys redacted), or print the JSON Schema by which
an editor completes and checks the file.
"""
EPILOG = """\
examples:
  otel-posthog policy check policy.yaml       one line for each mistake
  otel-posthog policy show                    file, environment and defaults
  otel-posthog policy show --section privacy  one section of it
  otel-posthog policy schema > policy.schema.json

in the policy file, for editors with a YAML language server:
  # yaml-language-server: $schema=policy.schema.json

environment:
  OTEL_POSTHOG_POLICY   the policy file where none is named
  OTEL_POSTHOG_DERIVE   words of rules that derive events, added to the policy's

exit status: 0 when the policy can be used, 1 when it cannot, 2 for wrong usage
"""
_PAGES = {
    "check": Page(
        summary="say whether an app could start with a policy file",
        about="""\
Read a policy file as an app would, and print a line for each mistake in it,
each switch by which it is weaker than what is built in, and each variable that
it names.
""",
        examples="  otel-posthog policy check policy.yaml\n  otel-posthog policy check --json policy.yaml\n",
        status="0 an app could start with it, 1 it could not, 2 for wrong usage",
        printed="one JSON object: file, usable, mistakes, weaker, variables",
    ),
    "show": Page(
        summary="print the policy in force, keys redacted",
        about="""\
Print the policy that a process with this environment would have: what is built
in, the file, and the variables. Keys and passwords are redacted.
""",
        examples="  otel-posthog policy show --section privacy\n  otel-posthog policy show --json policy.yaml\n",
        status="0 shown, 1 the policy cannot be used, 2 for wrong usage",
        printed="one JSON object: source, collection, derived, policy",
    ),
    "schema": Page(
        summary="print the JSON Schema of the policy file",
        about="Print the JSON Schema by which an editor completes and checks a policy file.",
        examples="  otel-posthog policy schema > policy.schema.json\n",
        status="0",
        printed="it as JSON, which it is in any case",
    ),
}
MISTAKE = 1
# Long enough for each key that a policy may name.
_PLACEHOLDER = "0123456789abcdefghijklmnopqrstuvwxyz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    made = {name: add_subcommand(verbs, name, page) for name, page in _PAGES.items()}
    made["check"].add_argument("file", nargs="?", metavar="FILE", help=f"default: {env.OTEL_POSTHOG_POLICY}")
    shown = made["show"]
    shown.add_argument("file", nargs="?", metavar="FILE", help=f"default: {env.OTEL_POSTHOG_POLICY}, else built in")
    shown.add_argument("--section", metavar="KEY", help="only this key of the policy")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    verb = {"check": _check, "show": _show, "schema": _schema}[arguments.verb]
    try:
        return verb(arguments)
    except OtelPostHogError as error:
        mistakes = (error, *getattr(error, "others", ()))
        if arguments.json and arguments.verb == "check":
            said = {"usable": False, "mistakes": list(map(str, mistakes)), "weaker": [], "variables": {}}
            print(json.dumps({"file": _path(arguments), **said}))
        else:
            print(*mistakes, sep="\n", file=sys.stderr)
        return MISTAKE


def _check(arguments: argparse.Namespace) -> int:
    from otel_posthog.policy.checks import weaknesses  # noqa: PLC0415
    from otel_posthog.policy.yaml_file import load_policy  # noqa: PLC0415 - help comes at once
    from otel_posthog.setup.settings import read_settings  # noqa: PLC0415 - the same

    path = _path(arguments)
    if not path:
        print(f"name a policy file, or set {env.OTEL_POSTHOG_POLICY}", file=sys.stderr)
        return 2
    policy = load_policy(path)
    variables = dict.fromkeys(_variables(policy))
    # What is only to be found where the app runs cannot be wrong here.
    missing = {name: _PLACEHOLDER for name, _ in variables if not os.environ.get(name, "").strip()}
    off_switches = dict.fromkeys(policy.collection.off_switches, "")
    try:
        read_settings({**os.environ, **missing, **off_switches}, policy=path)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
    is_set = {name: bool(os.environ.get(name, "").strip()) for name, _ in variables}
    if arguments.json:
        found = {"usable": True, "mistakes": [], "weaker": list(weaknesses(policy)), "variables": is_set}
        print(json.dumps({"file": path, **found}))
        return 0
    print(f"{path}: can be used")
    for said in weaknesses(policy):
        print(f"  weaker than built in: {said}")
    for name, what in variables:
        print(f"  {name} ({what}): {'set' if is_set[name] else 'not set here'}")
    return 0


def _path(arguments: argparse.Namespace) -> str:
    return arguments.file or os.environ.get(env.OTEL_POSTHOG_POLICY, "").strip()


def _variables(policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield the environment variables that a policy names, with what they are for."""
    for each in policy.destinations:
        if each.api_key_env is not None:
            yield each.api_key_env, f"key of the destination {each.name}"
    for privacy in (policy.privacy, *(each.privacy for each in policy.destinations)):
        if privacy is not None and privacy.hmac_key is not None and privacy.hmac_key.env is not None:
            yield privacy.hmac_key.env, "key of the method hmac"
    for name in policy.collection.off_switches:
        yield name, "switches collection off when false"


def _show(arguments: argparse.Namespace) -> int:
    import yaml  # noqa: PLC0415 - the same

    from otel_posthog.policy.fields import plain  # noqa: PLC0415
    from otel_posthog.privacy import without_secrets  # noqa: PLC0415
    from otel_posthog.setup.settings import read_settings  # noqa: PLC0415

    settings = read_settings(os.environ, policy=arguments.file)
    shown = plain(settings.policy, _is_shown, without_secrets)
    if arguments.section is not None and isinstance(shown, dict):
        if arguments.section not in shown:
            print(f"there is no `{arguments.section}`; there are {', '.join(shown)}", file=sys.stderr)
            return 2
        shown = {arguments.section: shown[arguments.section]}
    collects = "collection is on" if settings.collection.enabled else f"collection is off: {settings.collection.reason}"
    rules = [each.name for each in settings.policy.derive_rules]
    if arguments.json:
        collection = {"enabled": settings.collection.enabled, "reason": settings.collection.reason}
        shown = {"source": settings.policy.source, "collection": collection, "derived": rules, "policy": shown}
        print(json.dumps(shown, ensure_ascii=False))
        return 0
    print(f"# {settings.policy.source}, with this environment; {collects}")
    print(f"# events are derived by {', '.join(rules)}" if rules else "# no events are derived")
    print(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=100), end="")
    return 0


def _is_shown(name: str, value: object) -> bool:
    from otel_posthog.policy.fields import NOT_IN_FILE  # noqa: PLC0415 - the same

    return name not in NOT_IN_FILE and value not in (None, "", ())


def _schema(_: argparse.Namespace) -> int:
    from otel_posthog.policy.schema import policy_schema  # noqa: PLC0415 - the same

    print(json.dumps(policy_schema(), indent=2, ensure_ascii=False))
    return 0
