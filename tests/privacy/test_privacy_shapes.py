"""Secrets in texts whose name is joined to them by no sign: SQL, markup, forms, tuples, sentences."""

from __future__ import annotations

import pytest

from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy import Filter

FILTER = Filter(PrivacyPolicy())
PLANTED = "hunter2pw"
_WHERE = "SELECT a FROM u WHERE a=1 AND"

SQL = {
    f"UPDATE u SET `password`='{PLANTED}' WHERE id=1": "UPDATE u SET `password`='[secret]' WHERE id=1",
    f"{_WHERE} `u`.`password` = '{PLANTED}'": f"{_WHERE} `u`.`password` = '[secret]'",
    f"{_WHERE} [password]='{PLANTED}'": f"{_WHERE} [password]='[secret]'",
    f"{_WHERE} [u].[password]=N'{PLANTED}'": f"{_WHERE} [u].[password]=N'[secret]'",
    f"{_WHERE} password=E'{PLANTED}'": f"{_WHERE} password=E'[secret]'",
    f"{_WHERE} password=_utf8'{PLANTED}' LIMIT 1": f"{_WHERE} password=_utf8'[secret]' LIMIT 1",
    f"{_WHERE} password = md5('{PLANTED}')": f"{_WHERE} password = md5('[secret]')",
    f"{_WHERE} lower(password) = '{PLANTED}'": f"{_WHERE} lower(password) = '[secret]'",
    f"{_WHERE} password <> '{PLANTED}'": f"{_WHERE} password <> '[secret]'",
    f"{_WHERE} password != '{PLANTED}'": f"{_WHERE} password != '[secret]'",
    f"{_WHERE} password >= '{PLANTED}'": f"{_WHERE} password >= '[secret]'",
    f"{_WHERE} password LIKE '{PLANTED}%'": f"{_WHERE} password LIKE '[secret]'",
    f"{_WHERE} password not like '{PLANTED}%'": f"{_WHERE} password not like '[secret]'",
    f"{_WHERE} password IN ('{PLANTED}', N'{PLANTED}')": f"{_WHERE} password IN ('[secret]', N'[secret]')",
    f"{_WHERE} pin IN (4711, 1234)": f"{_WHERE} pin IN ([secret], [secret])",
    f"{_WHERE} password BETWEEN '{PLANTED}' AND '{PLANTED}'": f"{_WHERE} password BETWEEN '[secret]' AND '[secret]'",
    f"{_WHERE} password IS DISTINCT FROM '{PLANTED}'": f"{_WHERE} password IS DISTINCT FROM '[secret]'",
    f"INSERT INTO u (name, password) VALUES ('jo', '{PLANTED}')":
        "INSERT INTO u (name, password) VALUES ('jo', '[secret]')",
    f"insert into `u` (`a`, `password`) values (1, '{PLANTED}'), (2,'{PLANTED}') on duplicate key update a='b'":
        "insert into `u` (`a`, `password`) values (1, '[secret]'), (2,'[secret]') on duplicate key update a='b'",
    f"INSERT INTO u(id,password,x) VALUES(now(),N'{PLANTED}',NULL)":
        "INSERT INTO u(id,password,x) VALUES(now(),N'[secret]',NULL)",
    f"REPLACE INTO u (a, password) VALUES ('it''s, (x)', md5('{PLANTED}'))":
        "REPLACE INTO u (a, password) VALUES ('it''s, (x)', md5('[secret]'))",
    "INSERT INTO u (id, pin) VALUES (17, 4711)": "INSERT INTO u (id, pin) VALUES (17, [secret])",
    f"UPDATE u SET (a, password) = (1, '{PLANTED}')": "UPDATE u SET (a, password) = (1, '[secret]')",
    f"ALTER ROLE jo WITH PASSWORD '{PLANTED}'": "ALTER ROLE jo WITH PASSWORD '[secret]'",
    f"CREATE USER jo IDENTIFIED BY '{PLANTED}'": "CREATE USER jo IDENTIFIED BY '[secret]'",
    f'ALTER USER jo IDENTIFIED WITH sha2 BY "{PLANTED}"': 'ALTER USER jo IDENTIFIED WITH sha2 BY "[secret]"',
    f"SET PASSWORD FOR jo = '{PLANTED}'": "SET PASSWORD FOR jo = '[secret]'",
    f"SET PASSWORD FOR 'jo' = PASSWORD('{PLANTED}')": "SET PASSWORD FOR 'jo' = PASSWORD('[secret]')",
}  # fmt: skip
MARKUP = {
    f'<password type="x">{PLANTED}': '<password type="x">[secret]',
    f"<a:password type='x'>{PLANTED}</a:password>": "<a:password type='x'>[secret]</a:password>",
    f"<password><![CDATA[{PLANTED}]]></password>": "<password><![CDATA[[secret]]]></password>",
    f"<password>{PLANTED * 100}</password>": "<password>[secret]</password>",
    f"&lt;password&gt;{PLANTED}&lt;/password&gt;": "&lt;password&gt;[secret]&lt;/password&gt;",
    f'<input name="password" value="{PLANTED}">': '<input name="password" value="[secret]">',
    f'<property name="db.password">{PLANTED}</property>': '<property name="db.password">[secret]</property>',
    f'<add key="DbPassword" value="{PLANTED}" />': '<add key="DbPassword" value="[secret]" />',
    f"env:\n- name: DB_PASSWORD\n  value: {PLANTED}\n": "env:\n- name: DB_PASSWORD\n  value: [secret]\n",
    f"{{'name': 'password', 'value': '{PLANTED}'}}": "{'name': 'password', 'value': '[secret]'}",
    f'cut "name": "password", "value": "{PLANTED}"': 'cut "name": "password", "value": "[secret]"',
    f'form-data; name="password"\r\n\r\n{PLANTED}\r\n--x': 'form-data; name="password"\r\n\r\n[secret]\r\n--x',
    f"[('password', '{PLANTED}'), ('a', 'b')]": "[('password', '[secret]'), ('a', 'b')]",
    f"[(b'authorization', b'{PLANTED}')]": "[(b'authorization', b'[secret]')]",
}
SENTENCES = {
    f"my password is {PLANTED}, ok?": "my password is [secret], ok?",
    "your verification code is 482910.": "your verification code is [secret].",
    f"The API key is '{PLANTED}'": "The API key is '[secret]'",
}
# What follows a sensitive name goes to its end, and nothing of it stays beside the marker.
BRACKETED = {
    f"User(password=SecretStr('{PLANTED}'))": "User(password=[secret])",
    f"User(password=pydantic.SecretStr('{PLANTED}', 1), a=2)": "User(password=[secret], a=2)",
    f"auth=HTTPBasicAuth('jo', '{PLANTED}')": "auth=[secret]",
    f"{_WHERE} password::varchar='{PLANTED}'": f"{_WHERE} password::varchar='[secret]'",
    f"{_WHERE} (password)::varchar(64) = '{PLANTED}'": f"{_WHERE} (password)::varchar(64) = '[secret]'",
    f"{_WHERE} password = ANY('{{{PLANTED}}}')": f"{_WHERE} password = [secret]",
    f"{_WHERE} password = ANY(ARRAY['a', '{PLANTED}']) LIMIT 1": f"{_WHERE} password = [secret] LIMIT 1",
    "otps=[123456, 222333] a": "otps=[secret] a",
    "otps: 123456": "otps: [secret]",
    "otps: [123456, 222333]": "otps: [secret]",
    f"passwords=['{PLANTED}', 'zz'] and": "passwords=[secret] and",
    f"{{'password': ['{PLANTED}']}}": "{'password': [secret]}",
    f"{{'api_key': ['x]y', '{PLANTED}'], 'a': 1}}": "{'api_key': [secret], 'a': 1}",
    f"{{'password': {{'value': '{PLANTED}'}}}}": "{'password': [secret]}",
    f"{{'password': ('{PLANTED}',)}} b": "{'password': [secret]} b",
    f"{{'password': frozenset({{'{PLANTED}'}})}} b": "{'password': [secret]} b",
    f"{{'password': [b'{PLANTED}']}} b": "{'password': [secret]} b",
    f'log: {{"password": ["{PLANTED}"]}} done': 'log: {"password": [secret]} done',
    f'x "log: {{\\"password\\": [\\"a]\\", \\"{PLANTED}\\"]}} done"': 'x "log: {\\"password\\": [secret]} done"',
    f"{{password: {{value: '{PLANTED}', n: [1]}}, b: 2}}": "{password: [secret], b: 2}",
    f"cut {{'password': ['a', '{PLANTED}": "cut {'password': [secret]",
    "password=A+": "password=[secret]",
    "password=x! a": "password=[secret] a",
}
QUIET = [
    "std::token::parse and Foo::Password::Bar raised",
    "Auth::Token::Expired: at x",
    "tokens=[1, 2, 3] tokens: [15339, 11] password=[] password={}",
    "{'password': ['***'], 'secret': ['[redacted]', '?'], 'otp': {}}",
    "secret=${{ secrets.X }} and password=os.environ['X']",
    "password=: password=.. password=ab password=$1",
    "SELECT * FROM u WHERE password LIKE ? AND token IN ($1, :b) AND pin <> %s AND secret <> @p",
    "INSERT INTO u (name, password) VALUES (?, ?), (%s, :password), (DEFAULT, NULL)",
    "INSERT INTO u (name, age) VALUES ('jo', 42)",
    "SELECT token_count FROM u WHERE token_count >= 5120 AND password_length > 12",
    "CREATE USER jo IDENTIFIED BY ?",
    "Unexpected token 'o' in \"foo\" is not valid JSON",
    "Secret 'db-credentials' not found in (namespace)",
    "usage: login <user> <password> [--token <token>]",
    '<input name="colour" value="red"><password></password>',
    "[('password', 'otp'), ('a', 'b')] and (email, token)",
    "the password is required, the token was expired at 12:30",
    "the password is 8-16 characters, its length is 12",
    "name: web\n  value: red",
    "can't find a password in the file 'x'",
    "a[token]: x and `password`: the password of the user",
]


QUOTES = {
    'password = """hunter2"""': 'password = """[secret]"""',
    'password = """two\nlines""", a=1': 'password = """[secret]""", a=1',
    "password='''hunter2' x'''": "password='''[secret]'''",
    'password = """hunter2': 'password = """[secret]',
    "Driver={ODBC};Uid=sa;Pwd={hunter2};Db=y": "Driver={ODBC};Uid=sa;Pwd={[secret]};Db=y",
    "Server=x;PWD={hun}}ter 2};": "Server=x;PWD={[secret]};",
}


@pytest.mark.parametrize(
    ("text", "expected"), [*QUOTES.items(), *SQL.items(), *MARKUP.items(), *SENTENCES.items(), *BRACKETED.items()]
)
def test_a_secret_that_no_sign_joins_to_its_name_is_found(text: str, expected: str) -> None:
    """The value goes, its quotes and all around it stay; a second look finds nothing more."""
    once = FILTER.scrub_text(text)
    assert once == expected
    assert FILTER.scrub_text(once) is once


@pytest.mark.parametrize("text", QUIET)
def test_what_only_looks_so_is_the_same_object(text: str) -> None:
    """Placeholders, counts, names of things and prose."""
    assert FILTER.scrub_text(text) is text


def test_a_word_that_the_policy_does_not_name_is_none_here_either() -> None:
    """Without `password` among the sensitive keys no statement hides it."""
    without = Filter(PrivacyPolicy(sensitive_keys=frozenset({"token"})))
    for text in (*SQL, *MARKUP):
        if "authorization" not in text and "pin" not in text:
            assert without.scrub_text(text) == text
