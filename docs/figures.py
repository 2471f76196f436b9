"""The directive ``benchmark-figures``: a table of what the benchmarks have recorded."""

import json
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

RECORDED = Path(__file__).parents[1] / "benchmarks" / "recorded.json"


class Figures(SphinxDirective):
    """Write one line for each row: what, to reach, measured, by how much rounds differ."""

    def run(self):
        """Return the table, and below it the machine and the versions."""
        self.env.note_dependency(str(RECORDED))
        return self.parse_text_to_nodes("\n".join(_lines(json.loads(RECORDED.read_text("utf-8")))))


def _lines(recorded):
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 40 12 12 36", "")
    yield from _row("what", "to reach", "measured", "behind it")
    for row in sorted(recorded["rows"].values(), key=lambda row: row["what"]):
        sign = "≤" if row["better"] == "low" else "≥"
        unit = f" {row['unit']}" if row["unit"] else ""
        yield from _row(
            row["what"].replace("`", ""),
            f"{sign} {row['target']:.2f}{unit}",
            f"{row['ratio']:.2f} ± {row['spread']:.2f}{unit}",
            f"{row['measured']}; load {row['load']}, {row['measured_at']}".replace("`", ""),
        )
    versions = ", ".join(f"{name} {number}" for name, number in recorded["versions"].items())
    yield from ("", f"Measured on {recorded['machine']}, with {versions}.", "")


def _row(*cells):
    for number, cell in enumerate(cells):
        yield f"   {'* -' if number == 0 else '  -'} {_escaped(cell)}"


def _escaped(text):
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("_", "\\_")


def setup(app):
    """Add the directive."""
    app.add_directive("benchmark-figures", Figures)
    return {"parallel_read_safe": True}
