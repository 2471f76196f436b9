"""The rooms whose code is mutated, and the tests that have to notice.

Tests that start servers are left out: those run the code as it is, not the mutant.
"""

_OF_SUPERVISOR = """
    answers application channel clock container polling pool probe_port probes settings speaker
    verdicts worker
"""

ROOMS = {
    "heartbeat": ["tests/heartbeat"],
    "lifecycle": ["tests/test_lifecycle.py"],
    "logging": ["tests/logging"],
    "summary": ["tests/summary", "tests/logging/test_sentry.py"],
    "supervisor": [f"tests/supervisor/test_{name}.py" for name in _OF_SUPERVISOR.split()],
}
