"""The figures of a run are printed and kept."""

from pathlib import Path

from tests.torture.figures import Figures, keep, lines, noted


def test_figures_reach_the_table(tmp_path: Path) -> None:
    """A figure replaces its earlier value, and leaves the others."""
    table = tmp_path / "table.csv"
    for value in (1, 2):
        properties: list[tuple[str, object]] = [("other", "property")]
        Figures(properties).note("Storm", "Granian, ASGI", slowest_answer=f"{value} s")
        Figures(properties).note("Storm", f"Gunicorn {value}", runs=value)
        keep(table, noted(properties))
        assert lines(noted(properties))[0] == f"Storm: Granian, ASGI: slowest answer: {value} s"
    assert table.read_text() == (
        "proof,case,what,figure\n"
        'Storm,"Granian, ASGI",slowest answer,2 s\n'
        "Storm,Gunicorn 1,runs,1\n"
        "Storm,Gunicorn 2,runs,2\n"
    )
