"""Keys of vendors, told by how they begin or by a part of their own: `secret`.

The facts are from the rules of gitleaks (https://github.com/gitleaks/gitleaks, MIT licence, (c) 2019 Zachary Rice) and
the vendors' documentation, in a form of our own: lengths are lower bounds, so that a key that was cut is found too.
They are code, not a file beside it: programs that are frozen into one file or zipped have modules only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from otel_posthog.privacy.detectors.detector import Detector, Run, Span, merge_overlaps
from otel_posthog.privacy.detectors.prefilter import LONG_TOKEN, TOKEN, long_words
from otel_posthog.privacy.keys import KeyFacts
from otel_posthog.regex import regex

# kinds: w letters, digits, - _     t those and . = ~     b base64 (letters, digits, + / = _ -)
#        x hexadecimal              u capitals, digits    a letters, digits    h the same, no more after it
# beginning          least kind     vendor
VENDOR_KEYS = """\
AKIA                  12   a        AWS
ASIA                  12   a        AWS
ABIA                  12   a        AWS
ACCA                  12   a        AWS
ABSK                  40   b        AWS Bedrock
bedrock-api-key-      12   b        AWS Bedrock
LTAI                  12   a        Alibaba Cloud
A3-                   24   w        1Password
ops_eyJ               20   b        1Password
p8e-                  20   a        Adobe
AGE-SECRET-KEY-       12   a        age
sk-                   20   w        OpenAI, Anthropic, DeepSeek
AKCp                  50   a        Artifactory
cmVmd                 50   a        Artifactory
4b1d                  38   a        ClickHouse Cloud
CLOJARS_              16   a        Clojars
clojars_              16   a        Clojars
dapi                  32   x        Databricks
doo_v1_               16   x        DigitalOcean
dop_v1_               16   x        DigitalOcean
dor_v1_               16   x        DigitalOcean
dp.                   16   t        Doppler
dt0c01.               16   t        Dynatrace
dt0s01.               16   t        Dynatrace
EZAK                  12   a        EasyPost
EZTK                  12   a        EasyPost
EAA                   40   a        Facebook
EAAA                  22   w        Square
sq0atp-               16   w        Square
sq0csp-               16   w        Square
sq0idp-               16   w        Square
FLWSECK-              12   w        Flutterwave
FLWSECK_TEST-         12   w        Flutterwave
FLWPUBK_TEST-         16   w        Flutterwave
fo1_                  16   w        Fly.io
fm1a_                 16   b        Fly.io
fm1r_                 16   b        Fly.io
fm2_                  16   b        Fly.io
figd_                 16   w        Figma
fio-u-                16   t        Frame.io
AIza                  20   w        Google
ya29.                 16   t        Google OAuth
GOCSPX-               16   w        Google OAuth
ghp_                  16   a        GitHub
gho_                  16   a        GitHub
ghr_                  16   a        GitHub
ghs_                  16   a        GitHub
ghu_                  16   a        GitHub
github_pat_           16   w        GitHub
glpat-                16   t        GitLab
gldt-                 16   w        GitLab
glft-                 16   w        GitLab
glffct-               16   w        GitLab
glimt-                16   w        GitLab
glagent-              16   w        GitLab
gloas-                16   w        GitLab
glptt-                16   w        GitLab
glrt-                 16   t        GitLab
glrtr-                16   t        GitLab
glsoat-               16   w        GitLab
glcbt-                16   w        GitLab
glwt-                 16   w        GitLab
GR1348941             16   w        GitLab
eyJrIjoi              20   b        Grafana
glc_                  16   b        Grafana Cloud
glsa_                 16   w        Grafana
gsk_                  16   a        Groq
HRKU-                 12   w        Heroku
hf_                   16   a        Hugging Face
api_org_              16   a        Hugging Face
hvs.                  16   t        Vault
hvb.                  16   t        Vault
hvr.                  16   t        Vault
s.                    24   h        Vault
ico-                  32   a        Infracost
s-s4t2ud-             16   x        Intra42
s-s4t2af-             16   x        Intra42
lin_api_              16   a        Linear
lin_oauth_            16   a        Linear
key-                  32   x        Mailgun
NRAK-                 12   a        New Relic
NRII-                 12   w        New Relic
NRRA-                 12   w        New Relic
NRAA-                 12   a        New Relic
NRJS-                 12   a        New Relic
ntn_                  16   a        Notion
secret_               32   a        Notion
npm_                  16   a        npm
nvapi-                16   w        NVIDIA
sha256~               16   w        OpenShift
pplx-                 12   a        Perplexity
phx_                  16   a        PostHog
phs_                  16   a        PostHog
pscale_               16   t        PlanetScale
PMAK-                 12   w        Postman
pnu_                  16   a        Prefect
pul-                  40   x        Pulumi
pypi-                 16   w        PyPI
r8_                   16   a        Replicate
rdme_                 16   a        ReadMe
rubygems_             16   x        RubyGems
tk-us-                16   w        Scalingo
SG.                   16   t        SendGrid
xkeysib-              12   w        Brevo
xsmtpsib-             12   w        Brevo
sntrys_               16   b        Sentry
sntryu_               16   x        Sentry
shpat_                16   a        Shopify
shpca_                16   a        Shopify
shppa_                16   a        Shopify
shpss_                16   a        Shopify
xapp-                 12   w        Slack
xoxa-                 8    w        Slack
xoxb-                 8    w        Slack
xoxe-                 8    w        Slack
xoxe.                 8    t        Slack
xoxo-                 8    w        Slack
xoxp-                 8    w        Slack
xoxr-                 8    w        Slack
xoxs-                 8    w        Slack
sl.                   16   t        Dropbox
sgp_                  16   w        Sourcegraph
whsec_                16   b        Stripe webhooks
pat.                  22   t        Harness
sat.                  22   t        Harness
SK                    32   x        Twilio
AC                    32   x        Twilio
ATATT                 16   t        Atlassian
ATCTT                 16   t        Atlassian
tskey-                12   w        Tailscale
xai-                  16   w        xAI
YCAJE                 16   w        Yandex Cloud
AQVN                  35   w        Yandex Cloud
t1.                   40   t        Yandex Cloud
AKC                   60   a        Artifactory
AKID                  32   a        Tencent Cloud
ATBB                  28   a        Bitbucket
CCIPAT_               16   w        CircleCI
CCIPRJ_               16   w        CircleCI
CFPAT-                32   w        Contentful
FLWPUBK-              16   w        Flutterwave
access-production-    32   w        Plaid
access-development-   32   w        Plaid
access-sandbox-       32   w        Plaid
access_token$production$  16  t     Braintree
access_token$sandbox$     16  t     Braintree
apify_api_            16   a        Apify
bkua_                 16   x        Buildkite
cfat_                 32   w        Cloudflare
cfut_                 32   w        Cloudflare
crsr_                 32   w        Cursor
csk-                  32   a        Cerebras
dG9r                  48   b        Intercom
dckr_oat_             16   w        Docker
dckr_pat_             16   w        Docker
duffel_live_          24   w        Duffel
duffel_test_          24   w        Duffel
fw_                   22   a        Fireworks AI
ion_                  32   a        Ionic
jina_                 32   w        Jina
lsv2_                 24   w        LangSmith
napi_                 32   a        Neon
nfp_                  24   w        Netlify
nfo_                  24   w        Netlify
nfu_                  24   w        Netlify
pcsk_                 32   w        Pinecone
rnd_                  24   a        Render
rpa_                  32   a        RunPod
rzp_live_             12   a        Razorpay
rzp_test_             12   a        Razorpay
sbp_                  32   w        Supabase
sb_secret_            16   w        Supabase
sk_                   40   x        ElevenLabs
snyk_                 24   t        Snyk
sqa_                  32   x        SonarQube
sqp_                  32   x        SonarQube
squ_                  32   x        SonarQube
tfp_                  24   w        Typeform
tvly-                 16   w        Tavily
v4.local.             32   t        PASETO
v4.public.            32   t        PASETO
vcp_                  16   a        Vercel
vercel_blob_rw_       16   w        Vercel
live_                 30   a        Mollie, Lob
test_                 30   a        Mollie, Lob
b_                    44   t        Beamer
pat-na1-              32   w        HubSpot
pat-eu1-              32   w        HubSpot
"""
CHARACTERS = {
    "w": "[0-9A-Za-z_-]",
    "t": "[0-9A-Za-z_.=~-]",
    "b": "[0-9A-Za-z_+/=-]",
    "x": "[0-9a-fA-F]",
    "u": "[0-9A-Z]",
    "a": "[0-9A-Za-z]",
    "h": "[0-9A-Za-z]",
}
"""The characters behind a beginning, by the kinds of the table."""


def beginnings() -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table: a beginning, the least number of characters behind it, and their kind."""
    for line in VENDOR_KEYS.splitlines():
        beginning, least, kind = line.split()[:3]
        yield beginning, least, kind


def _behind(least: str, kind: str) -> str:
    # No more than that of a whole word: a key of that kind has one length.
    return f"{CHARACTERS[kind]}{{{least}}}(?![0-9A-Za-z_-])" if kind == "h" else f"{CHARACTERS[kind]}{{{least},}}"


def _compiled(*odd: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((hint, regex(pattern, re.ASCII)) for hint, pattern in odd)


# Keys without a beginning of their own: characters that each has, and its pattern.
WITHOUT_BEGINNING = _compiled(
    (".atlasv1.", r"[0-9A-Za-z]{10,20}\.atlasv1\.[0-9A-Za-z_=-]{16,}"),  # Terraform
    ("Q~", r"(?<![0-9A-Za-z_~.])[0-9A-Za-z_~.]{3}[0-9]Q~[0-9A-Za-z_.~-]{20,}"),  # Microsoft Entra
    ("_mmk", r"(?<![0-9A-Za-z])[0-9A-Za-z]{6}_[0-9A-Za-z]{20,}_mmk"),  # MaxMind
    ("API-", r"(?<![0-9A-Za-z])API-(?=[A-Z]{0,64}[0-9])[0-9A-Z]{16,}"),  # Octopus
    ("hooks.slack.com/", r"hooks\.slack\.com/[a-z]{4,12}/[0-9A-Za-z_/+-]{20,}"),
    ("/webhooks/", r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{10,24}/[0-9A-Za-z_-]{16,}"),
    (".office.com/", r"webhook\.office\.com/webhookb2?/[0-9a-f@-]{36,}/IncomingWebhook/[0-9A-Za-z_/-]{16,}"),
    ("|", r"(?<![0-9A-Za-z])(?:prod|dev|preview):[0-9a-z-]{3,64}\|[0-9A-Za-z+/=]{40,}"),  # Convex
)
# The same, each with a word of at least 26 characters in it.
LONG_WITHOUT_BEGINNING = _compiled(
    (":AA", r"(?<![0-9])[0-9]{8,10}:AA[0-9A-Za-z_-]{30,}"),  # Telegram
    ("|", r"(?<![0-9])[0-9]{15,16}\|[0-9A-Za-z_-]{27,}"),  # Facebook apps
    ("pat", r"(?<![0-9A-Za-z])pat[0-9A-Za-z]{14}\.[0-9a-f]{40,}"),  # Airtable
    ("v1.0-", r"(?<![0-9A-Za-z])v1\.0-[0-9a-f]{24}-[0-9a-f]{64,}"),  # Cloudflare origin CA
    ("fc-", r"(?<![0-9A-Za-z-])fc-[0-9a-f]{32}(?![0-9A-Za-z-])"),  # Firecrawl
    ("-us", r"(?<![0-9A-Za-z])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"),  # Mailchimp
    ("NRAL", r"(?<![0-9A-Za-z])[0-9a-f]{36}NRAL(?![0-9A-Za-z])"),  # New Relic ingest
    ("AZDO", r"(?<![0-9A-Za-z])[0-9A-Za-z]{70,80}AZDO[0-9A-Za-z]{4}(?![0-9A-Za-z])"),  # Azure DevOps
    ("pk_", r"(?<![0-9A-Za-z])pk_[0-9]{6,10}_[0-9A-Z]{28,}"),  # ClickUp
    ("re_", r"(?<![0-9A-Za-z_])re_[0-9A-Za-z]{8}_[0-9A-Za-z]{20,}"),  # Resend
    ("sdk-", r"(?<![0-9A-Za-z-])sdk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),  # LaunchDarkly
    ("api-", r"(?<![0-9A-Za-z-])api-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),  # LaunchDarkly
    (":", r"(?<![0-9A-Za-z])[12]/[0-9]{15,20}(?:/[0-9]{15,20})?:[0-9a-f]{32}"),  # Asana
    ("00", r"(?<![0-9A-Za-z_-])00(?=[0-9a-f_-]{0,40}[G-Zg-z])[0-9A-Za-z_-]{40}(?![0-9A-Za-z_-])"),  # Okta
    (".", r"(?<![0-9A-Za-z_.-])[MNO][0-9A-Za-z_-]{23,25}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,}"),  # Discord
)
# `sk_live_…`, `shippo_test_…`, `sm_pat_…`: what it is for, then something opaque.
_PURPOSE = r"_(?:live|test|prod|sandbox|api|oauth|pat|tkn|pw|key|token|secret|aat|sat)_"
_HAS_PURPOSE = regex(_PURPOSE)
FOR_A_PURPOSE = regex(
    rf"(?<![0-9A-Za-z])[A-Za-z][0-9A-Za-z]{{1,11}}{_PURPOSE}(?:[a-z]{{2,8}}_)?(?=[0-9A-Za-z_=.-]{{0,64}}[0-9])[0-9A-Za-z_=.-]{{16,}}",
    re.ASCII,
)


def _beginnings_pattern() -> re.Pattern[str]:
    by_first: dict[str, list[str]] = defaultdict(list)
    for beginning, least, kind in beginnings():
        by_first[beginning[0]].append(re.escape(beginning[1:]) + _behind(least, kind))
    # By first letter: where a word begins, one comparison for each letter rules all of its beginnings out.
    grouped = "|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in by_first.items())
    return regex(rf"(?<![0-9A-Za-z])(?:{grouped})", re.ASCII)


_BEGINNINGS = _beginnings_pattern()
_MAX_DOTTED = 32  # `snyk_uat.0123abcd.`, before the first long word of a key
# Hashes, UUIDs, names of things.
_PLAIN_WORD = regex(r"[0-9a-f-]+|[0-9A-F-]+|[A-Za-z]{1,15}(?:[_-][A-Za-z]{1,15})*")


def _find_vendor_key(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans = _with_beginning(text)
    for hint, pattern in WITHOUT_BEGINNING:
        if hint in text:
            spans += (match.span() for match in pattern.finditer(text))
    if "_" in text and _HAS_PURPOSE.search(text):
        spans += (match.span() for match in FOR_A_PURPOSE.finditer(text))
    return merge_overlaps(spans) if len(spans) > 1 else spans


def _find_long_vendor_key(text: str, _facts: KeyFacts, _runs: Sequence[Run]) -> list[Span]:
    spans: list[Span] = []
    for hint, pattern in LONG_WITHOUT_BEGINNING:
        if hint in text:
            spans += (match.span() for match in pattern.finditer(text))
    return merge_overlaps(spans) if len(spans) > 1 else spans


def _with_beginning(text: str) -> list[Span]:
    """Return the keys by their beginning: at a long word that is no plain one, or up to `_MAX_DOTTED` before it."""
    spans: list[Span] = []
    end = 0
    key: re.Match[str] | None = None
    for run_start, run_end in long_words(text):
        if run_end <= end or _PLAIN_WORD.fullmatch(text, run_start, run_end):
            continue
        start = max(end, run_start - _MAX_DOTTED)
        while True:
            if key is None or key.start() < start:
                key = _BEGINNINGS.search(text, start)
                if key is None:
                    return spans
            # A key behind this word is kept for the next word: no part of the text is searched twice.
            if key.start() >= run_end:
                break
            spans.append(key.span())
            start = end = key.end()
    return spans


VENDOR_KEY = Detector("secret", _find_vendor_key, needs=TOKEN)
LONG_VENDOR_KEY = Detector("secret", _find_long_vendor_key, needs=LONG_TOKEN)
