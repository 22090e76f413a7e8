"""Lists of words for reading keys and texts. Which words make a key sensitive is not here, but in the policy.

`privacy.reference` lists most of them in docs/privacy.md.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the words of `text`."""
    return frozenset(text.split())


# A key that ends in one of these refers to a secret without being one (`secretName: …`, `token_url=…`).
REFERENCES = words("id ids name names url uri file path length size arn store vault")
# A key that ends in one of these names a kind or a state; a short word under it stays.
DESCRIPTORS = words(
    "method methods type types kind status state result outcome scheme mode provider providers strength purpose "
    "verified valid validated enabled disabled required present exists consent policy version format level step source "
    "reason template category provided shown changed expired missing used backend engine flow channel strategy model "
    "brand os platform manufacturer algorithm alg country region domain check reset manager"
)
FLAGS = words("has is can should needs need requires require allow allows use uses supports support with enable")
COUNTERS = words(
    "count counts counter total totals size length len limit max min remaining left ratio rate percent "
    "avg sum ms seconds minutes hours days duration bytes chars age ttl index attempts retries version score strength "
    "expires expiry budget per"
)
# Also counters, but only after words for what can be counted.
USED = words("used usage")
# Words that end in an s without being a plural, and plurals under which a number of three digits may be a value.
NO_PLURALS = words("address pass gps cvvs cvcs")
VERSIONS = words("version versions ver release build revision firmware useragent sdk ua oid")
# Words whose value is never a number: a number under them is a count.
NEVER_NUMBERS = words("email mail jwt cookie cookies address street bearer")
# Words under which a value is a credential, not a fact about a person.
CREDENTIALS = words(
    "password passwd pwd passphrase secret secrets credential credentials token jwt auth authorization bearer cookie "
    "cookies csrf xsrf otp pin cvv cvc api apikey accesskey secretkey privatekey access private signing encryption "
    "session pass passcode verification recovery key adgangskode clave contrasena contraseña haslo hasło heslo "
    "jelszo jelszó kennwort lösenord losenord lozinka parola passwort salasana senha şifre wachtwoord пароль "
    "密码 密碼 パスワード 비밀번호 passe"
)
# Endings that make any word a credential's (`dbpassword`, `PGPASSWORD`).
JOINED = words(
    "password passwd passphrase passcode secret apikey secretkey accesskey privatekey passwort kennwort wachtwoord "
    "contrasena contraseña adgangskode lösenord salasana"
)
# Shorter endings, with what each is short for; only after these words, since there are `bypass` and `pagetoken`.
_JOINED_TO = (
    "admin api app auth bot client csrf db device email ftp git github gitlab jwt keystore ldap login mail mongo my "
    "mysql oauth pg postgres proxy push redis root sa service session slack smtp sql ssh sso sys user vault web"
)
JOINED_SHORT = {
    "token": (
        "token",
        words(
            f"{_JOINED_TO} access bearer deploy id npm personal private pypi refresh reset secret security "
            "verification webhook xsrf"
        ),
    ),
    "pass": ("password", words(f"{_JOINED_TO} truststore")),
    "pw": ("password", words(f"{_JOINED_TO} new old")),
    "pwd": ("password", words(f"{_JOINED_TO} new truststore")),
}
# Terms in which a sensitive word is harmless; addresses of machines are left to the detector `ip`.
HARMLESS_PHRASES = frozenset(
    (first, second)
    for firsts, seconds in (
        ("page next continuation cancellation public", "token"),
        ("ip mac peer local remote listen bind server memory host", "address"),
        ("token", "bucket"),
        ("mobile", "app os device platform"),
        ("phone", "model"),
        ("address", "family"),
    )
    for first in words(firsts)
    for second in words(seconds)
)
HARMLESS_KEYS = frozenset({"client.address", "source.address", "destination.address"})

# What follows `password:` in a sentence.
PROSE = words(
    "and are authentication authorization cannot changed could error empty expired failed failure for from has "
    "incorrect invalid is length missing must mismatch not optional or rejected required reset revoked should string "
    "any bool bytes int object str "
    "expected the too unauthorized unexpected unknown unsupported updated was weak will with wrong"
)

# The words of a key that name the values of a detector.
KINDS = {
    "email": words("email mail emails"),
    "phone": words(
        "phone phones mobile fax tel telephone telefon telefono telefone telefoon cell cellphone celular msisdn "
        "whatsapp caller callee handy handynummer rufnummer telefonnummer"
    ),
    "card": words("card cards pan creditcard cardnumber"),
    "iban": words("iban"),
    "ssn": words("ssn itin"),
    "national_id": words(
        "nino nhs dni nif nie nir cpf cnpj bsn pesel personnummer hetu cpr aadhaar aadhar nric tckn rrn curp rut cuit "
        "pesel passport ssn sin tfn"
    ),
    "cookie": words("cookie cookies"),
    "gps": words("gps lat lng lon latitude longitude coordinates latlng latlon geo location position"),
}
# The words of a key under which two numbers are measured, and no place; `max` and `min` may be corners of an area.
MEASURES = words(
    "latency latencies duration durations elapsed timing timings time times took ms ns seconds secs millis minutes "
    "hours rate rates ratio ratios percent percentile percentiles quantile quantiles cpu load usage score scores "
    "weight weights price prices cost costs amount amounts total totals avg average mean median sum stddev fps "
    "size sizes bytes probability probabilities loss temperature"
)
# The ends of two keys whose numbers together are a place.
HALVES = {"x": "y", "y": "x", "0": "1", "1": "0", "long": "lat"}
# The last words of the keys of a name and of its value.
NAME_KEYS = ("name", "key", "k", "field", "header", "param", "parameter", "attribute", "property", "column", "label")
VALUE_KEYS = ("value", "v", "val", "old", "new", "old_value", "new_value", "oldvalue", "newvalue", "content", "data")
# Keys whose value is the address of a page, not of a file.
PAGES = words("url uri href target route referrer referer pathname path_name page endpoint query")
# Cookies with a preference of the visitor, and attributes of a cookie.
PREFERENCES = words(
    "theme lang language locale i18n currency color-scheme colorscheme dark_mode tz timezone consent cookieconsent "
    "cookie_consent path domain samesite max-age secure httponly priority partitioned"
)
# Accounts of machines and images, not of a person.
SHARED_ACCOUNTS = words(
    "shared public default all admin administrator ubuntu debian centos fedora ec2-user azureuser opc vagrant root "
    "runner runneradmin travis circleci jenkins git gitlab-runner node app appuser web www www-data nginx deploy "
    "deployer docker user users vscode codespace coder gitpod jovyan linuxbrew postgres mysql redis nobody service "
    "build builder ci daemon operator system guest containeruser"
)

# Length of an IBAN by country.
IBAN_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in words(
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
        "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 "
        "KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 "
        "PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 "
        "UA29 VA22 VG24 XK20 YE30"
    )
}

# Words of sentences, log lines and structures, in lower case, that say nothing of a person.
PLAIN = PROSE | words(
    "about accepted account accounts active address addresses again already also answering any api app at back be "
    "because been before browse but by call called can card change charge check client com contact correct customer "
    "data debug detail did do does duplicate email enter entered entry event events example exception exists false "
    "fatal field first for form found got had has have he header headers here his how http https iban id if in info "
    "input insert into it its json keep key keyerror kind last late later level like line list ll log login lookup "
    "lost mail matching me message mobile msg my name need net new next no note now null number numbers of ok on "
    "order org our out page parse password payload payment phone plan please pro problem processed profile properties "
    "query re read reading reason receive receiving ref request retry retrying said security see select send sending "
    "sent service session set she shop signup site so social status stay step stop subject table test text than that "
    "their them then there they this thread ticket to token true try type typeerror undefined under update upstream "
    "url user users v value valueerror values violates want warn we were what when where which while who why worker "
    "would x yet you your"
)
