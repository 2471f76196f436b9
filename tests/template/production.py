"""The environment of a made project in production, on SQLite."""

PRODUCTION = {
    "ALLOWED_HOSTS": "www.example.com",
    "DEBUG": "false",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-only-for-this-test",
}
