"""What ``nox -s bench -- --check`` says: which row got worse, and which only varies."""

import json
from dataclasses import replace

import pytest

from benchmarks import __main__ as command
from benchmarks import comparison
from benchmarks.comparison import LEAST_SHARE, RECORDED, SPREADS, compare, read, record
from benchmarks.measure import Turns
from benchmarks.rows import Row

ROW = Row("requests", "what it is", 0.5, 0.6, "how it was", spread=0.02)
HIGH = replace(ROW, better="high")


def recorded(row):
    """Return a file's content with that row alone."""
    fields = {"ratio": row.ratio, "spread": row.spread}
    return {"rows": {row.key: fields}}


@pytest.mark.parametrize(
    ("ratio", "is_worse"),
    [(0.1, False), (0.5, False), (0.5 + SPREADS * 0.02 - 0.001, False), (0.581, True)],
)
def test_a_row_is_worse_beyond_its_margin(ratio, is_worse):
    """The margin is a multiple of the spread; better is never worse."""
    (verdict,) = compare([replace(ROW, ratio=ratio)], recorded(ROW))
    assert verdict.is_worse is is_worse


@pytest.mark.parametrize(("ratio", "is_worse"), [(0.9, False), (0.5, False), (0.419, True)])
def test_a_row_of_which_more_is_better_is_worse_below(ratio, is_worse):
    """Requests a second fall when they get worse."""
    (verdict,) = compare([replace(HIGH, ratio=ratio)], recorded(HIGH))
    assert verdict.is_worse is is_worse


@pytest.mark.parametrize(("then", "now"), [(0.0, 0.05), (0.05, 0.0), (0.05, 0.01)])
def test_the_greater_spread_counts(then, now):
    """A machine that is busy now, or was busy then, proves less."""
    (verdict,) = compare([replace(ROW, spread=now)], recorded(replace(ROW, spread=then)))
    assert verdict.margin == pytest.approx(SPREADS * 0.05)


def test_without_a_spread_a_tenth_is_allowed():
    """A count has no spread, and three rounds may be alike by chance."""
    (verdict,) = compare([replace(ROW, spread=0)], recorded(replace(ROW, spread=0)))
    assert verdict.margin == pytest.approx(LEAST_SHARE * 0.5)


def test_a_row_that_is_not_recorded_is_an_error():
    """A new row is recorded with the change that brings it."""
    with pytest.raises(KeyError, match="requests"):
        compare([ROW], {"rows": {}})


def test_what_is_recorded_is_read_again(tmp_path):
    """One part may be recorded alone: the other rows stay."""
    path = tmp_path / "recorded.json"
    record([ROW], path)
    record([replace(ROW, key="memory", ratio=1.0)], path)
    found = read(path)
    assert {key: row["ratio"] for key, row in found["rows"].items()} == {
        "requests": 0.5,
        "memory": 1.0,
    }
    assert found["machine"]
    assert found["versions"]["django"]
    assert compare([ROW], found)[0].is_worse is False


def test_check_names_the_row_that_is_worse(monkeypatch, tmp_path, capsys):
    """It ends with 1, and its last words say how much is allowed."""
    record_path = tmp_path / "recorded.json"
    record([ROW], record_path)
    worse = replace(ROW, ratio=0.7)
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [worse]})
    monkeypatch.setattr(comparison, "RECORDED", record_path)
    monkeypatch.setattr("sys.argv", ["benchmarks", "--check"])
    assert command.main() == 1
    out = capsys.readouterr().out
    assert "worse: requests: 0.700, recorded 0.500, allowed at most 0.580 (what it is)" in out
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [ROW]})
    assert command.main() == 0
    assert "1 of 1 rows are as recorded, or better" in capsys.readouterr().out


def test_without_check_a_missed_target_is_a_failure(monkeypatch, capsys):
    """A target is a limit of its own, whatever is recorded."""
    monkeypatch.setattr("sys.argv", ["benchmarks"])
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [ROW, HIGH]})
    assert command.main() == 1
    assert "1 of 2 targets reached" in capsys.readouterr().out


def test_the_spread_is_of_the_rounds_figures():
    """Contenders that slow down together have a steady ratio, and so no spread."""
    turns = Turns(["ours", "theirs"])
    turns.taken = {"ours": [1, 2, 3], "theirs": [2, 4, 6]}
    assert turns.medians == {"ours": 2, "theirs": 4}
    assert turns.spread(lambda values: values["ours"] / values["theirs"]) == 0
    turns.taken["ours"] = [1, 4, 6]
    assert turns.spread(lambda values: values["ours"]) == 2


def test_the_repository_has_a_record_of_every_row():
    """What is recorded has all that ``--check`` and the documentation read."""
    rows = json.loads(RECORDED.read_text("utf-8"))["rows"]
    assert len(rows) >= 20
    for row in rows.values():
        assert {"what", "ratio", "target", "spread", "better", "measured", "load"} <= set(row)
