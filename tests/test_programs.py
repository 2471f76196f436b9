import pytest

from tests.programs import need


@pytest.mark.parametrize(
    ("environment", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_a_missing_program(environment, outcome, monkeypatch):
    """A program that is missing skips a test for a person, and fails it in CI."""
    monkeypatch.setenv("CI", environment)
    with pytest.raises(outcome, match="no-such-program is not installed"):
        need("no-such-program")


def test_a_program_that_no_registry_brings(monkeypatch):
    """Such a program skips the test in CI, too."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        need("no-such-program", everywhere=False)
