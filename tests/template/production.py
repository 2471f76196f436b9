"""The environment of a made project in production, on SQLite."""

from tests.harness.ports import LOOPBACK

PRODUCTION = {
    "ALLOWED_HOSTS": f"www.example.com,{LOOPBACK}",
    "DEBUG": "false",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-only-for-this-test",
}
