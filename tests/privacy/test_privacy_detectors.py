"""Each detector finds what it names, keeps the text around it, stays quiet on look-alikes, and can be switched off."""

from __future__ import annotations

import pytest

from otel_posthog.apps.collector_config.stages import stages
from otel_posthog.model import Receipt
from otel_posthog.policy import FrozenMap, HitMethod, PrivacyPolicy
from otel_posthog.privacy import Filter
from otel_posthog.privacy.detectors.national_rules import _BY_SHAPE, may_hold_alphanumeric_id

FILTER = Filter(PrivacyPolicy())

GITHUB = "gh" + "p_" + "a1B2" * 9
AWS = "AK" + "IA" + "Q3EG" * 4
STRIPE = "sk" + "_live_" + "9zY8" * 6
OPENAI = "sk" + "-" + "proj-" + "Zx9" * 8
GITLAB = "gl" + "pat-" + "x7Qp" * 5
SLACK = "xo" + "xb-" + "123456789012-" + "aB3" * 8
GOOGLE = "AI" + "za" + "Sy9" * 11
POSTHOG = "ph" + "x_" + "k3J" * 14
JWT = "ey" + "J" + "hbGciOiJub25lIn0" + ".ey" + "J" + "zdWIiOiIxIn0" + ".c2ln"
PEM = "-----BEGIN " + "PRIVATE KEY-----\nMIIB\nabc=\n-----END " + "PRIVATE KEY-----"

HITS = {
    "email": [
        ("mail jo.doe+x@example.org now", "mail [email] now"),
        ("/u/jo%40example.org/edit", "/u/[email]/edit"),
        ("/u?next=%2Fa%3Fmail%3Djo%2540example.org", "/u?next=%2Fa%3Fmail%3D[email]"),
        ("<jo@münchen.de>", "<[email]>"),
        ("_jo@example.org_ /u?m=jo%40%C3%AEle.fr", "[email]_ /u?m=[email]"),
        ("jo\u200b@exam\u200bple.org", "[email]"),
        ("jo\uff20example.org", "[email]"),
        ('x \\u006ao\\u0040example.org"', 'x [email]"'),
        ("user_jo@example.org_x mail_jo@example.de_2024", "[email]_x [email]_2024"),
    ],
    "ip": [
        ("from 8.8.8.8:53", "from [ip]:53"),
        ("http://1.1.1.1/a", "http://[ip]/a"),
        ("[2001:4860:4860::8888]:443", "[[ip]]:443"),
        ("at 2a00:1450:4001:812::200e.", "at [ip]."),
        ("::ffff:8.8.4.4", "[ip]"),
    ],
    "mac": [
        ("mac 6c:7e:f4:cd:24:2e!", "mac [mac]!"),
        ("6C-7E-F4-CD-24-2E", "[mac]"),
        ("a012.3456.789a", "[mac]"),
        ("0012.3456.789a", "[mac]"),
        ("AA-BB-CC-DD-EE-FF", "[mac]"),
        ("x aa:bb:cc:dd:ee:ff", "x [mac]"),
    ],
    "card": [
        ("pay 4111111111111111 now", "pay [card] now"),
        ("4111-1111-1111-1111", "[card]"),
        ("4111 1111 1111 1111 12/29", "[card] 12/29"),
        ("q=4111+1111+1111+1111&x=1", "q=[card]&x=1"),
        ("3782 822463 10005", "[card]"),
        ("41111111\u200b11111111", "[card]"),
        *((gap.join(("4111", "1111", "1111", "1111")), "[card]") for gap in ("\t", "\n", "_", ",", ":", "|")),
        ("x:3782,822463,10005;", "x:[card];"),
    ],
    "iban": [
        ("to DE89 3704 0044 0532 0130 00 today", "to [iban] today"),
        ("gb82west12345698765432", "[iban]"),
        ("DE89-3704-0044-0532-0130-00", "[iban]"),
        ("MT84MALT011000012345MTLCAST001S LV80BANK0000435195001", "[iban] [iban]"),
    ],
    "phone": [
        ("call +49 30 1234567 now", "call [phone] now"),
        ("+1 (415) 555-0132 x12", "[phone]"),
        ("00493012345678", "[phone]"),
        ("?p=%2B4915112345678&x=1", "?p=[phone]&x=1"),
        ("?p=%2B49+151+123+45678&x=1", "?p=[phone]&x=1"),
        ("?p=%2B1+%28415%29+555-0132&x=1", "?p=[phone]&x=1"),
        ("?p=+49+151+12345678", "?p=[phone]"),
        ("(415) 555-0132", "[phone]"),
        ("0812-345678 08123-4567", "[phone] [phone]"),
        ("+٤٩ ٣٠ ١٢٣٤٥٦٧", "[phone]"),
        ('phone="0049301234567" ok', 'phone="[phone]" ok'),
        ("Phone: 5321234567, Fax 0301234567.", "Phone: [phone], Fax [phone]."),
        ("Teléfono: 222 124 450", "Teléfono: [phone]"),
        ("тел. 5321234567 电话: 13123452845", "тел. [phone] 电话: [phone]"),
        ("(11) 96123-1041; 8 (029) 491-58-32", "[phone]; [phone]"),
        ("415.555.2671", "[phone]"),
        ("030/1234567, 0171 / 123 45 67, 089/12 34 56 78", "[phone], [phone], [phone]"),
        ("678 102 383", "[phone]"),
        ("91 98765 43210 or 98765 43210", "[phone] or [phone]"),
        ("532.123.45.67", "[phone]"),
        ("0 (917) 123 4567", "[phone]"),
        ("我的手机13812345678", "我的手机[phone]"),
        ("13812345678 是我的 138-1234-5678", "[phone] 是我的 [phone]"),
    ],
    "ssn": [("ssn 078-05-1120.", "ssn [ssn].")],
    "national_id": [
        ("dni 12345678Z, ok", "dni [national_id], ok"),
        ("X1234567L", "[national_id]"),
        ("hetu: 131052-308T", "hetu: [national_id]"),
        ("RSSMRA85T10A562S", "[national_id]"),
        ("AB 12 34 56 C", "[national_id]"),
        ("ABCPD1234Z", "[national_id]"),
        ("1EG4-TE5-MK73", "[national_id]"),
        ("S1234567D", "[national_id]"),
        ("a 529.982.247-25 b", "a [national_id] b"),
        ("/u/52998224725/x", "/u/[national_id]/x"),
        ("10000000146", "[national_id]"),
        ("44051401458", "[national_id]"),
        ("811218-9876", "[national_id]"),
        ("756.9217.0769.85", "[national_id]"),
        ("11010519491231002X", "[national_id]"),
        ("850709-1234567", "[national_id]"),
        ("2341 2341 2346", "[national_id]"),
        ("GET /k/529.982.247-25 200", "GET /k/[national_id] 200"),
        ("12 529.982.247-25 200 3", "12 [national_id] 200 3"),
        ("046 454 286", "[national_id]"),
        ("passport number is C01X00T47", "passport number is [national_id]"),
        ("NHS 943 476 5919", "NHS [national_id]"),
        ("my aadhaar card no. 234123412346", "my aadhaar card no. [national_id]"),
        ("आधार 234123412346", "आधार [national_id]"),
        ("2341:2341:2346", "[national_id]"),
        ("ssn 526416527, my social is 526416527", "ssn [national_id], my social is [national_id]"),
    ],
    "gps": [
        ("at 48.858370, 2.294481 now", "at [gps] now"),
        ("geo:48.858370,2.294481", "geo:[gps]"),
        ("40°26'46\"N 79°58'56\"W", "[gps]"),
    ],
    "username": [
        ("/home/jdoe/app/x.py", "/home/[username]/app/x.py"),
        ("/home/jane doe/x.py", "/home/[username]/x.py"),
        ("C:\\Users\\Jane van Doe\\a b.txt", "C:\\Users\\[username]\\a b.txt"),
        ("ls /home/jdoe and /tmp", "ls /home/[username] and /tmp"),
        ("C:\\Users\\jdoe\\x.txt", "C:\\Users\\[username]\\x.txt"),
        ('File "/Users/jdoe/x.py", line 3', 'File "/Users/[username]/x.py", line 3'),
    ],
    "jwt": [(f"got {JWT} here", "got [jwt] here")],
    "secret": [
        *(
            (f"use {key}, ok", "use [secret], ok")
            for key in (GITHUB, AWS, STRIPE, OPENAI, GITLAB, SLACK, GOOGLE, POSTHOG)
        ),
        (f"key:\n{PEM}\nend", "key:\n[secret]\nend"),
        ("Bearer abcDEF123456", "Bearer [secret]"),
        ("Basic dXNlcjpwYXNz", "Basic [secret]"),
        ("postgresql://ann:p%2F%40ss@db.example/x", "postgresql://[secret]@db.example/x"),
        ("https%3A%2F%2Fann%3Apw1%40db%2Fx", "https%3A%2F%2F[secret]%40db%2Fx"),
        ("/a?x=1&token=abc&y=2", "/a?x=1&token=[secret]&y=2"),
        ("AWSAccessKeyId=ab1&Signature=x%2By&sig=zzz", "AWSAccessKeyId=[secret]&Signature=[secret]&sig=[secret]"),
        ("/a?X-Goog-Signature=beef&code=ok", "/a?X-Goog-Signature=[secret]&code=ok"),
        ("login: password=a,b&c user=4", "login: password=[secret] user=4"),
        ("password: hunter2", "password: [secret]"),
        ("{'api_key': 'abc def', 'a': 1", "{'api_key': '[secret]', 'a': 1"),
        ('\\"password\\": \\"a b\\", \\"c\\": 1', '\\"password\\": \\"[secret]\\", \\"c\\": 1'),
        ("run --db-token abc --x 1", "run --db-token [secret] --x 1"),
        ("SET password = 'it''s' WHERE id=?", "SET password = '[secret]' WHERE id=?"),
        ("user[password]=abc1", "user[password]=[secret]"),
        ("cookie: a=b; c=d\nnext", "cookie: [secret]\nnext"),
        ("<password>hunter2</password> token=abc1", "<password>[secret]</password> token=[secret]"),
        ("Authorization: GenieKey ab-12-cd-34\nHost: x", "Authorization: [secret]\nHost: x"),
        ('authorization: Digest username="x", response="0a1b"', "authorization: [secret]"),
        (
            "/cb?client_assertion=a1b2c3d4e5f6a7b8c9&appkey=a1b2c3d4e5f6a7b8c9",
            "/cb?client_assertion=[secret]&appkey=[secret]",
        ),
        (
            "passwort=abc1 contraseña: abc2 mot_de_passe='abc3'",
            "passwort=[secret] contraseña: [secret] mot_de_passe='[secret]'",
        ),
        ("https://hooks.slack" + ".com/services/T0000AAAA/B0000AAAA/abcdEFGH1234abcdEFGH", "https://[secret]"),
        (f"key {'0a' * 16}-us12, {'0b' * 18}NR" + "AL", "key [secret], [secret]"),
    ],
}

QUIET = [
    "logo@2x.png",
    "git@github.com:a/b",
    "10.0.0.1 127.0.0.1 192.168.1.1 172.20.0.3 169.254.1.1 fe80::1 ::1 fc00::1",
    "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36",
    "version 1.2.3.4 and kerch==3.1.2.5 and v4.3.2.1",
    "1.2.3.4.5",
    "std::vector a::b 12:34:56",
    "627cc493-f310-47de-96bd-71410b7dec09",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "2024-11-24T01:39:05.123456+00:00",
    "1732412345123456789 1732412345123 1732412345",
    "4111111111111112",
    "ee50074f-45df-4189-90d2-85ded08f0a9c",
    "00623248-0272-4734-bcde-e7318d8ee714",
    "df77dedb-1c58-ee08-d583-890ac61a2075",
    "0.4111111111111111",
    "DE00 3704 2044 2532 2130 22",
    "978-3-16-148410-0",
    "INV-2025-68237 ORD-12128 831-5368869-6674691",
    "password reset: required",
    "token: expired, auth: failed",
    "basic information and bearer of news",
    "secretName: prod-db token_url=https://a.example/t",
    "SELECT 1 WHERE token = ? AND password = %(password)s AND pin = $1",
    "?country_code=DE&sort=key",
    "https://medium.example:8080/@jo/x",
    "author=jo tokens=512 has_password=true",
    "/home/ubuntu/app/x.py C:\\Users\\Public\\x",
    "https://a.example/home/sale/x",
    "0.123456, 0.654321",
    "point 12.5, 99.25",
    "1610154963",
    "ISBN 978-0-306-40615-7, EAN 4006381333931",
    "12345678A",
    "52998224726",
    "2341 2341 2349",
    "build 20240131-1",
    "org.xerial:sqlite-jdbc@3.54.1.0 undertow-core@2.4.4.Final rv:1.9.7.20 Collecting EPPlus 4.5.3.3",
    "token = await getToken() password = request.form['x'] Authorization: Bearer <token>",
    "token: str | None, api_key = os.environ['X'], password: ${{ secrets.X }}",
    "mobile 1080x2189, phone model 12.0.1, call 1732412345 times, hotel: 12 rooms",
    "01-02-2024 31.12.2024 2024-01-02 12345678 0123-4567",
    "1 234 567 890 and 100 200 301",
    "page 3 of 12, 70 12 77 15",
    "4111,1111,1111,1111,1111 and 4111_1111_1111_1112 and 1.4111,1111,1111,1111",
    "€ 678 102 383, 678 102 383 EUR, 678 102 000, 678 102 383 kB, $678 102 383",
    "a/0123/456789 06/2024 12/2024/001",
    "120.0.6099.109 1.415.555.2671 12345 67890 13812345678",
    "object_obj@2x_y deadbeef.cafe.com de-ad-be",
]


@pytest.mark.parametrize(
    ("name", "text", "expected"), [(name, *pair) for name, pairs in HITS.items() for pair in pairs]
)
def test_a_hit_is_replaced_and_the_text_around_it_kept(name: str, text: str, expected: str) -> None:
    """A marker stands in the place of the hit; everything else is as it was."""
    assert FILTER.scrub_text(text) == expected


@pytest.mark.parametrize("text", QUIET)
def test_a_look_alike_is_the_same_object_afterwards(text: str) -> None:
    """What only looks like a hit is handed back untouched, as the same object."""
    assert FILTER.scrub_text(text) is text


@pytest.mark.parametrize("name", sorted(HITS))
def test_each_detector_can_be_switched_off(name: str) -> None:
    """With only one detector on it still finds its own; with it off its marker never shows."""
    alone = Filter(PrivacyPolicy(detectors=FrozenMap({name: HitMethod.REPLACE})))
    without = Filter(PrivacyPolicy(detectors=FrozenMap({**PrivacyPolicy().detectors, name: HitMethod.OFF})))
    for text, _ in HITS[name]:
        assert f"[{name}]" in alone.scrub_text(text)
        assert f"[{name}]" not in without.scrub_text(text)


def test_every_detector_of_the_policy_has_its_cases() -> None:
    """No detector can be added to the policy without cases here."""
    assert set(HITS) == set(PrivacyPolicy().detectors)


def test_every_detector_of_the_policy_has_an_expression_for_the_collector() -> None:
    """No detector can be added to the policy without something that stands for it in Collector configurations."""
    assert [name for name in PrivacyPolicy().detectors if not any(each.patterns for each in stages({name}, ()))] == []


IN_PATHS = {
    "national_id": ["598.397.776-88", "52998224725", "850709-1234567", "11010519491231002X"],
    "phone": ["0049 151 65652968", "0049%20151%2065652968", "+49301234567", "532.123.45.67", "(030) 1234567"],
    "ssn": ["078-05-1120"],
    "card": ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"],
    "iban": ["DE89370400440532013000"],
    "ip": ["8.8.8.8", "2001:4860:4860::8888"],
    "mac": ["6c:7e:f4:cd:24:2e"],
    "jwt": [JWT],
    "email": ["jo.doe@example.org", "bWFpbCBqby5kb2VAZXhhbXBsZS5vcmcgbm93",
              "dG8gam8uZG9lQGV4YW1wbGUub3JnLCBwbGVhc2U/Pz4+",
              "jo.x%E2%80%8B%40example.org", "jo%EF%BC%A0example.org"],
    "secret": [GITHUB, AWS],
}  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/kunden/{}", "/api/v2/kunden/{}/orders", "https://a.example/k/{}?x=1", "GET /k/{} HTTP/1.1"]
)
@pytest.mark.parametrize(("name", "value"), [(name, each) for name, values in IN_PATHS.items() for each in values])
def test_a_value_is_found_as_a_part_of_a_path(name: str, value: str, path: str) -> None:
    """A slash in front hides nothing; what base64 has behind one may only end at the end of the path."""
    if "/" in value and path.endswith("orders"):
        return
    assert FILTER.scrub_text(path.format(value)) == path.format(f"[{name}]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 93.184.216.34 now", "from [ip] now"),
        ("1.2.3 (ip=93.184.216.34)", "1.2.3 (ip=[ip])"),
        ("at http://93.184.216.34/x", "at http://[ip]/x"),
        ("ssn: 241476967", "ssn: [national_id]"),
        ("CPF 529.982.247-25", "CPF [national_id]"),
        ("Tel. 5322682839", "Tel. [phone]"),
        ("jo@example.org", "[email]"),
        ("8.1.2.3", "8.1.2.3"),
        ("93.184.216.34", "93.184.216.34"),
        ("upgraded from 1.2.3.4 to 1.2.3.5", "upgraded from 1.2.3.4 to 1.2.3.5"),
        ("2341 2341 2346", "2341 2341 2346"),
        ("Mozilla/5.0 (X11) Chrome/120.0.0.0 Foo 1.2.3.4", "Mozilla/5.0 (X11) Chrome/120.0.0.0 Foo 1.2.3.4"),
        ("Mobile/1234567890 x", "Mobile/1234567890 x"),
    ],
)
@pytest.mark.parametrize("key", ["app.version", "client_version", "user_agent.original", "firmware", "build"])
def test_what_a_word_names_is_found_under_a_key_of_versions_too(key: str, text: str, expected: str) -> None:
    """There a number without a word is a version."""
    assert FILTER.scrub_value(key, text) == expected


HOMES = [
    "COPY t FROM '/home/zqx/data.csv'", "q=/home/zqx/x&b=1", "https://a.example/?f=/Users/zqx/x",
    "https://a.example/?f=%2Fhome%2Fzqx%2Fx", "file:///home/zqx/x", "file://localhost/home/zqx/x", "sftp://h/home/zqx/x",
    "jo@h:/home/zqx/x", "c:/users/zqx/appdata", "C:\\USERS\\zqx\\x", "c:\\users\\zqx\\x", "\\\\server\\users\\zqx\\f",
    "/Volumes/Macintosh HD/Users/zqx/x", "/System/Volumes/Data/Users/zqx/x", "/mnt/c/Users/zqx/x", "/c/Users/zqx/x",
    "open /cygdrive/c/Users/zqx/", "/mnt/backup disk/home/zqx/x", "/usr/home/zqx/x", "/proc/1/root/home/zqx",
    "/export/home/zqx/x", "/var/home/zqx", "x \\/home\\/zqx\\/y",
]  # fmt: skip
PAGE_KEYS = ["url.query", "url.full", "url.path", "http.target", "http.url", "referrer"]


@pytest.mark.parametrize("key", ["app.note", "db.statement", "db.query.text", "db.query.summary", *PAGE_KEYS])
@pytest.mark.parametrize("text", HOMES)
def test_a_home_directory_is_one_under_any_key(text: str, key: str) -> None:
    """In statements and in queries of pages; on whatever disk, however the system writes it."""
    for left in (FILTER.scrub_value(key, text), FILTER.properties({key: text}, Receipt())):
        assert "zqx" not in str(left)


@pytest.mark.parametrize("key", PAGE_KEYS)
@pytest.mark.parametrize("text", ["https://a.example/home/sale/x", "/home/sale", "/Users/123/x", "/home/ubuntu/x"])
def test_a_page_called_home_is_none(text: str, key: str) -> None:
    """With what the path of a page begins nobody is named."""
    assert FILTER.scrub_value(key, text) is text


def test_a_card_is_found_as_a_number_too() -> None:
    """A card number written without quotes is replaced; a long id that fails the check stays an int."""
    out = FILTER.properties({"a": 4111111111111111, "b": 4111111111111112, "c": 4111111111111111.0}, Receipt())
    assert out == {"a": "[card]", "b": 4111111111111112, "c": "[card]"}


def test_a_version_under_a_version_key_stays() -> None:
    """Four numbers with dots under a version-like key are a version, elsewhere an address."""
    out = FILTER.properties({"app_version": "8.1.2.3", "userAgent": "x 8.1.2.3", "note": "8.1.2.3"}, Receipt())
    assert out == {"app_version": "8.1.2.3", "userAgent": "x 8.1.2.3", "note": "[ip]"}


@pytest.mark.parametrize("around", [b"", b" ", b"id: ", b"(", b"."])
def test_no_shape_of_a_mixed_id_is_ruled_out_before_it_is_looked_at(around: bytes) -> None:
    """The quick search for parts of identity numbers lets through every shape that a country's rule asks for."""
    assert len(_BY_SHAPE) > 50
    for shape in _BY_SHAPE:
        written = shape.replace(b"x", b"-").replace(b"a", b"Q").replace(b"0", b"7")
        assert may_hold_alphanumeric_id(around + written), written
        assert may_hold_alphanumeric_id(around + written + b" x"), written
    assert may_hold_alphanumeric_id(b"QQ 12 34 56 C")
    assert not may_hold_alphanumeric_id(b"order 2024 of 12 items")
