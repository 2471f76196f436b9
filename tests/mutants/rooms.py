"""The rooms whose code is mutated, and the tests that have to notice.

Tests that start servers are left out: those run the code as it is, not the mutant.
"""

_OF_SUPERVISOR = """
    answers application channel clock container hub polling pool probe_port probes serving settings
    speaker verdicts worker
"""

ROOMS = {
    "heartbeat": ["tests/heartbeat"],
    "lifecycle": ["tests/test_lifecycle.py"],
    "logging": ["tests/logging", "tests/summary/test_failure.py"],
    "summary": ["tests/summary", "tests/logging/test_sentry.py"],
    "supervisor": [f"tests/supervisor/test_{name}.py" for name in _OF_SUPERVISOR.split()],
}

# By room, what cannot run there or takes too long for every mutant. In mutmut's copy of the tree
# the code imports mutmut, so processes that a test starts do not work as it expects; and mutmut
# calls each function from one of its own, so a caller is one frame further away.
LEFT_OUT = {
    "heartbeat": [
        "tests/heartbeat/test_late_answers.py::test_the_background_does_not_delay_the_exit",
        "tests/heartbeat/test_threads.py::test_hung_check_does_not_delay_the_exit",
    ],
    "logging": [
        "tests/logging/test_config.py::test_debug_decides_when_django_configures_logging",
        "tests/logging/test_config.py::test_debug_level_leaves_django_alone",
        "tests/logging/test_config.py::test_dict_config",
        "tests/logging/test_config.py::test_django_is_not_imported",
        "tests/logging/test_config.py::test_every_record_once_on_standard_output",
        "tests/logging/test_config.py::test_ini_file",
        "tests/logging/test_config.py::test_level_is_everybodys",
        "tests/logging/test_config.py::test_processes",
        "tests/logging/test_config.py::test_without_assertions",
        "tests/logging/test_delivery.py::test_the_caller_is_the_code_that_logs",
        "tests/logging/test_expression.py::test_the_first_secret_needs_no_deep_stack",
        "tests/logging/test_guard.py::test_logging_goes_on_after_a_fatal_value",
        "tests/logging/test_linear_time.py",
        "tests/logging/test_properties.py",
        "tests/logging/test_secrets_table.py::test_any_text",
        "tests/logging/test_secrets_table.py::test_cookies_with_odd_characters",
        "tests/logging/test_secrets_table.py::test_quoted_secrets_with_odd_characters",
        "tests/logging/test_sentry.py::test_a_task_does_not_import_sentry",
        "tests/logging/test_servers.py",
    ],
}
