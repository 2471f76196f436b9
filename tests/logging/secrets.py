"""The table of secrets: the forms in which a name and its secret stand, and what must stay."""

import json
from urllib.parse import quote

from dockerflow_django.logging.secret_names import ALONE, ANYWHERE, KEYS

SECRET = "hunter2"

WORDS = (*ANYWHERE, *ALONE, *(f"{kind}_key" for kind in KEYS))


def spellings(word):
    """Return the ways in which a name that is one of the words, or holds it, is written."""
    parts = word.split("_")
    camel = "".join(map(str.title, parts))
    return dict.fromkeys((word, word.upper(), "-".join(parts), camel, f"db_{word}", f"my{camel}"))


def _nested(times):
    def write(name, secret):
        text = json.dumps({"a": 1, name: secret, "b": 2})
        for _ in range(times):
            text = json.dumps({"inner": text})
        return text

    return write


def _quoted(text, times):
    for _ in range(times):
        text = quote(text, safe="")
    return text


def _head(name, secret):
    return f"GET / HTTP/1.1\r\n{name}: {secret}\r\nHost: shop"


def _inserted(name, secret):
    return f"INSERT INTO u (id, {name}) VALUES (1, '{secret}'), (2, '{secret}') RETURNING id"


# By its name, how a form is written.
FORMS = {
    "name=value": lambda n, s: f"a=1 {n}={s} b=2",
    "name = value": lambda n, s: f"{n} = {s} b",
    "name: value": lambda n, s: f"{n}: {s}",
    "name:value": lambda n, s: f"{n}:{s}",
    "yaml": lambda n, s: f"db:\n  {n}: {s}\n  x: 1",
    "option": lambda n, s: f"run --{n} {s} --x",
    "option=": lambda n, s: f"run --{n}={s} --x",
    "list of arguments": lambda n, s: repr(["run", f"--{n}", s, "more"]),
    "list of words": lambda n, s: repr(["run", n, s, "more"]),
    "pair": lambda n, s: repr((n, s)),
    "pairs of bytes": lambda n, s: repr([(n.encode(), s.encode())]),
    "json": _nested(0),
    "json in json": _nested(1),
    "json, four levels": _nested(3),
    "json, minified": lambda n, s: json.dumps({n: s, "b": 2}, separators=(",", ":")),
    "json, an object": lambda n, s: json.dumps({n: {"v": [s, {"z": s}]}}),
    "json, indented": lambda n, s: json.dumps({n: {"v": [s, {"z": s}]}}, indent=2),
    "dict": lambda n, s: repr({n: s, "a": 1}),
    "dict of bytes": lambda n, s: repr({n.encode(): s.encode()}),
    "repr of a repr": lambda n, s: repr(repr({n: s + "'"})),
    "query string": lambda n, s: f"GET /x?a=1&{n}={s}&b=2 HTTP/1.1",
    "percent-encoded": lambda n, s: _quoted(f"a=1&{n}={s}&b=2", 1),
    "percent-encoded twice": lambda n, s: _quoted(f"a=1&{n}={s}&b=2", 2),
    "percent-encoded json": lambda n, s: _quoted(json.dumps({n: s}), 1),
    "percent-encoded json, twice": lambda n, s: _quoted(json.dumps({n: s}), 2),
    "header": _head,
    "repr of headers": lambda n, s: repr(_head(n, s)),
    "bytes of headers": lambda n, s: repr(_head(n, s).encode()),
    "keyword": lambda n, s: f"connect({n}='{s} x', b=1)",
    "keyword of bytes": lambda n, s: f"connect({n}=b'{s} x', b=1)",
    "object": lambda n, s: f"Settings({n}=SecretStr('{s} x'), b=1)",
    "item": lambda n, s: f"data['{n}'] = '{s}'",
    "form": lambda n, s: f"user[{n}]={s}",
    "comparison": lambda n, s: f"assert {n} == '{s}'",
    "arrow": lambda n, s: f'"{n}" => "{s}"',
    "connection string": lambda n, s: f"Server=x;{n}={s};Database=y",
    "dsn": lambda n, s: f"host=db {n}='{s} {s}' user=x",
    "element": lambda n, s: f"<{n}>{s}</{n}>",
    "element with attributes": lambda n, s: f'<w:{n} Type="x">{s}</w:{n}>',
    "name and value": lambda n, s: json.dumps([{"name": n, "value": s}]),
    "name and value, dict": lambda n, s: repr([{"key": n, "value": s}]),
    "name and value, yaml": lambda n, s: f"env:\n  - name: {n}\n    value: {s}\n",
    "name and value, object": lambda n, s: f"Cookie(version=0, name='{n}', value='{s}', port=None)",
    "input": lambda n, s: f'<input name="{n}" value="{s}">',
    "part of a form": lambda n, s: f'form-data; name="{n}"\r\n\r\n{s} x\r\n--b',
    "bytes of a form": lambda n, s: repr(f'form-data; name="{n}"\r\n\r\n{s} x\r\n--b'.encode()),
    "list in a form": lambda n, s: f"{n}[]={s}&data[{n}][0]={s}",
    "list in a form, percent-encoded": lambda n, s: f"{n}%5B%5D={s}&data%5B{n}%5D%5B0%5D={s}",
    "mysql": lambda n, s: f"UPDATE `shop` SET `{n}` = '{s}'",
    "line below": lambda n, s: f"{n}:\n  {s}\nx: 1",
    "line below, quoted": lambda n, s: f"{n}: \r\n'{s} x'\r\nx: 1",
    "inserted": _inserted,
    "inserted by columns in quotes": lambda n, s: f"""("id", "{n}") values\n('{s}', 1)""",
    "html": lambda n, s: f"{{&quot;{n}&quot;: &quot;{s}&quot;}}",
    "html, apostrophes": lambda n, s: f"{{&#x27;{n}&#x27;: &#x27;{s}&#x27;}}",
}

# Secrets that no name, or more than a name, tells.
OTHERS = (
    'Authorization: Digest username="ada", realm="x", response="hunter2"',
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=hunter2",
    "Authorization: Negotiate hunter2==",
    "Proxy-Authorization: Basic hunter2",
    'curl -H "Authorization: token hunter2" https://shop/',
    "curl -H 'Cookie: a=1; sessionid=hunter2' https://shop/",
    '{"error": "bad header Authorization: Basic hunter2", "user": "ada"}',
    "HTTP_AUTHORIZATION=Basic hunter2",
    "HTTP_COOKIE: a=hunter2; b=hunter2",
    "[(b'host', b'x'), (b'authorization', b'Bearer hunter2'), (b'cookie', b'sessionid=hunter2')]",
    "Headers({'host': 'x', 'authorization': 'Basic hunter2'})",
    "Set-Cookie: sessionid=hunter2; HttpOnly",
    # A header ends at a quote, unless that begins another secret.
    "Cookie: a=1 Settings(password=SecretStr('x hunter2'), b=1)",
    "cookie=a password: 'x hunter2' token=hunter2",
    "Cookie: a password=[\n'hunter2'\n]",
    "https://a.blob.core.windows.net/c/b?sv=2020&sig=hunter2%3D&se=2026",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2==;EndpointSuffix=core",
    "https://bucket/x?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2",
    "https://shop/callback?code=hunter2&state=hunter2-more",
    "next=https%3A%2F%2Fada%3Ahunter2%40host%2Fx",
    "next=https%253A%252F%252Fada%253Ahunter2%2540host%252Fx",
    r'"https:\/\/ada:hunter2@host\/x"',
    "postgres://u:hunter2@db,redis://:hunter2@cache",
    "amqp://u:hun/hunter2@mq//",
    f"https://x-access-token:{'hunter2' * 200}@host/",
    "https%3A//ada%3Ahunter2%40host/x",
    "https://ada:hunter2%40host/x",
    "DETAIL:  Key (token)=(hunter2) already exists.",
    "DETAIL:  Key (shop, api_key)=(5, hunter2) already exists.",
    "DETAIL:  Key (lower(token::text))=(hunter2) already exists.",
    "(1062, \"Duplicate entry 'hunter2' for key 'shop_card.shop_card_token_1a2b3c4d_uniq'\")",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2\n-----END PGP PRIVATE KEY BLOCK-----",
    "DBPASS=hunter2",
    "api key: hunter2",
    "one-time password: hunter2",
    "Session id: hunter2",
    r"x\npin: hunter2",
    "refused: Bearer hunter2",
    "basic aHVudGVyMjpodW50ZXIy",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIihunter2.hunter2",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    'password="hunter2 is not closed',
    "password=hunter2,hunter2;hunter2",
    "userPin=hunter2",
    "CREATE USER 'ada'@'%' IDENTIFIED BY 'hunter2';",
    "create user ada identified with `mysql_native_password` by 'hunter2'",
    "ALTER USER ada IDENTIFIED BY PASSWORD '*hunter2'",
    "ALTER ROLE ada WITH LOGIN PASSWORD 'hunter2'",
    "ALTER ROLE ada ENCRYPTED PASSWORD E'hunter2'",
    r"ProgrammingError('ALTER ROLE ada PASSWORD \'hunter2\'')",
    "SET PASSWORD FOR 'ada' = OLD_PASSWORD('hunter2')",
    "the password 'hunter2 x' is wrong",
    "curl -u ada:hunter2 https://shop/",
    "curl --user 'ada:hunter2' https://shop/",
    "curl -u ada:x,hunter2 https://shop/",
    "curl -x proxy --proxy-user=ada:hunter2 https://shop/",
    "['curl', '-u', 'ada:hunter2', 'https://shop/']",
    "mysql -uroot -phunter2 shop",
    "mariadb-dump -p'hunter2 x' shop",
    "['mysql', '-u', 'root', '-phunter2']",
    "sshpass -p hunter2 ssh shop",
    "['sshpass', '-p', 'hunter2', 'ssh', 'shop']",
    "redis-cli -h shop -a hunter2 ping",
    "Authorization: Digest a\r\n hunter2\r\n\thunter2\r\nHost: x",
    repr(b"Authorization: Digest a\r\n hunter2\r\n\thunter2\r\nHost: x"),
    "//ada:hunter2@host/x",
    r"see '\/\/ada:hunter2@host'",
    "cannot resolve //ada:hun@hunter2@host:5432",
    f"ghp_{'hunter2' * 5}1",
    f"no access with gho_{'hunter2' * 5}a",
    f"GITHUB says ghs_{'hunter2' * 5}a",
    f"for ghu_{'hunter2' * 5}a and ghr_{'hunter2' * 5}b",
    f"github_pat_11AAAA_{'hunter2' * 5}",
    f"x\\nglpat-{'hunter2' * 3}",
    "xoxb-123456789012-hunter2hunter2",
    "x%20xoxe.xoxp-1-hunter2hunter2",
    "sk_live_hunter2hunter2hunter2",
    "rk_live_hunter2hunter2hunter2",
    f"AIza{'hunter2' * 5}",
    f"sk-proj-{'hunter2' * 5}",
    "pbkdf2_sha256$1000000$salt$hunter2hunter2hunter2=",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$hunter2",
    "$2b$12$hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunt",
)

# These have no small letters.
IN_CAPITALS = ("AKIAHUNTER2HUNTER2AB", "arn of ASIAHUNTER2HUNTER2AB")

# The left column of what is not to be lost.
STAYS = (
    "",
    "http://host:8000/path@2x.png",
    "http://[::1]:8000/path@2x.png",
    "http://host/?mail=a@b.example",
    "no pass, no key: 'token' expected",
    "Unexpected token: }",
    "Unexpected token: ')' in line 3",
    "bearer of bad news",
    "basic training 101 for beginners",
    "user@host.example: 5 = 5",
    "mailto:ada@example.com",
    "git@github.com:org/repo.git",
    "postgres://db/shop",
    "max_tokens=512 prompt_tokens: 12",
    '{"usage": {"prompt_tokens": 12, "total_tokens": 524}}',
    "token_type=Bearer expires_in=3600",
    "password_length=8",
    "AUTH_PASSWORD_VALIDATORS=[]",
    "SESSION_COOKIE_NAME=shop",
    "SESSION_COOKIE_AGE=1209600",
    "CSRF_COOKIE_SAMESITE=Lax",
    "CSRF Failed: CSRF token missing.",
    "Forbidden (CSRF token missing.): /orders/",
    "Forbidden (CSRF cookie not set.): /orders/",
    "jwt.exceptions.ExpiredSignatureError: Signature has expired",
    "jwt.exceptions.InvalidTokenError: Not enough segments",
    "django.contrib.auth.models.User.DoesNotExist: User matching query does not exist.",
    "rest_framework.exceptions.AuthenticationFailed: Incorrect authentication credentials.",
    "KeyError: 'password'",
    "Invalid password: must contain at least 8 characters",
    "Password: This field is required.",
    "token: expired",
    "authorization: required for this view",
    "{'password': ['This field is required.'], 'email': ['Enter a valid email address.']}",
    "{'password': [ErrorDetail(string='This field may not be blank.', code='blank')]}",
    "['This field is required.', 'password']",
    "jwt: enabled, csrf=off has_otp=yes token_budget=5 cookie_consent=given",
    "DETAIL:  Key (email)=(ada@example.com) already exists.",
    "Duplicate entry 'ada' for key 'auth_user.username'",
    '[{"name": "LANG", "value": "C"}, {"key": "sort", "value": "name"}]',
    '[{"name": "DB_PASSWORD", "value": null}]',
    "def login(user: str, password: str) -> None:",
    "password=None",
    "password='none'",
    "password=!?!",
    "{'password': None, 'user': 'ada'}",
    "has_password=True",
    "password=********",
    "Missing fields: ['username', 'password', 'email']",
    "fields ['password', 'token', 'username']",
    "connecting to http://auth:8000/login",
    "http://token:8080/x",
    'File "/app/shop/auth.py", line 12, in login',
    "/app/tokens.py:12: DeprecationWarning",
    "tests/test_auth.py::test_token: passed",
    "tokenizer=bert tokenize: 5",
    "secretary: Ann, secretariat=UN",
    "passenger=Ann bypass=1 compass: north",
    "key=user:42 cache_key=abc sort_key=name primary_key=7 keyword: x",
    "monkey=1 author=Bo authors: 3",
    "design=flat mapping=1 opinion: good pinned=2",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==",
    "sessions: 5",
    "auth_user.id = 5",
    "state=open code=200 exit code: 3",
    "use --password to set it",
    "run with --token or --key",
    "--no-password --password-stdin",
    "run --no-password shop",
    "ssh ada@token:2222",
    "//token:8080/x",
    "--token-file /run/secrets/token",
    "12:30:45 ok",
    '"GET /shop/items/42/?page=2 HTTP/1.1" 200',
    'SELECT "auth_user"."id", "auth_user"."password" FROM "auth_user" WHERE "id" = 5',
    "Order 7 is paid: 12 EUR",
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "the field password 'email'",
    "make_password('DB_PASSWORD')",
    "docker run -u 1000:1000 -p3306:3306 mysql",
    "mysql -p shop, curl -u ada https://shop/",
    "//host:8080/path@2x.png",
    "// TODO: write to ada@example.com",
    "password:\n  user: ada",
    "Wrong password:\nTraceback (most recent call last):",
    "if not token:\n    raise",
    "DB_PASSWORD=\nDB_USER=ada\nDB_TOKEN=\nada\n",
    "INSERT INTO shop_order (id, name) VALUES (1, 'ada')",
    "task-abcdefghijklmnopqrstuvwx risk-abcdefghijklmnopqrstuvwx",
    "AKIA, ASIA and AIza are how keys begin",
    "ghp_ and sk_live_ are how tokens begin",
    "pbkdf2_sha256 costs $20, argon2 more",
)
