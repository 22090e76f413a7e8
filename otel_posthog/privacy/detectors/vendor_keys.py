"""Shapes of vendors' keys: a literal beginning, and behind it at least so many characters of a kind.

In code, not in a file beside it: programs that are frozen into one file or zipped have modules only.

Facts taken from the rules of gitleaks (https://github.com/gitleaks/gitleaks, MIT licence, (c) 2019 Zachary Rice) and
from the vendors' documentation, in a form of our own: lengths are lower bounds, so that a key that was cut is found
too.
"""

# kinds: w letters, digits, - _     t those and . = ~     b base64 (letters, digits, + / = _ -)
#        x hexadecimal              u capitals, digits    a letters, digits    h the same, no more after it
# beginning          least kind     vendor
TABLE = """\
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
