"""The rooms whose code is mutated, and the tests that have to notice."""

ROOMS = {
    "heartbeat": ["tests/heartbeat"],
    "lifecycle": ["tests/test_lifecycle.py"],
    "logging": ["tests/logging"],
    "summary": ["tests/summary", "tests/logging/test_sentry.py"],
    "supervisor": ["tests/supervisor"],
}
