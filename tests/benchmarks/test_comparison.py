"""What ``nox -s bench -- --check`` says: which row got worse, and which only varies."""

import json
import platform
import re
from dataclasses import fields, replace

import django
import pytest

from benchmarks import __main__ as command
from benchmarks import comparison, measure
from benchmarks.comparison import (
    LEAST_SHARE,
    MOST_SHARE,
    RECORDED,
    SPREADS,
    compare,
    read,
    record,
)
from benchmarks.machine import machine
from benchmarks.measure import Turns, take_turns
from benchmarks.rows import Row

ROW = Row("requests", "what it is", 0.5, 0.6, "how it was", spread=0.02)
HIGH = replace(ROW, better="high")


def recorded(row):
    """Return a file's content with that row alone."""
    return {"rows": {row.key: {"ratio": row.ratio, "spread": row.spread}}}


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


@pytest.mark.parametrize(("ratio", "scale"), [(0.5, 0.6), (0.9, 0.9), (0.0, 0.6), (-0.1, 0.6)])
def test_without_a_spread_a_tenth_is_allowed(ratio, scale):
    """A count has no spread, rounds may be alike by chance, and a figure may be near zero."""
    row = replace(ROW, ratio=ratio, spread=0)
    (verdict,) = compare([row], recorded(row))
    assert verdict.margin == pytest.approx(LEAST_SHARE * scale)


@pytest.mark.parametrize("row", [replace(ROW, spread=9.0), replace(HIGH, spread=9.0)])
def test_no_spread_allows_more_than_half(row):
    """However much the rounds differ, a figure that is twice as bad is worse."""
    ratio = 0.5 + 0.31 if row.better == "low" else 0.5 - 0.31
    (verdict,) = compare([replace(row, ratio=ratio)], recorded(row))
    assert verdict.margin == pytest.approx(MOST_SHARE * 0.6)
    assert verdict.is_worse


def test_every_recorded_row_can_fail():
    """What is recorded in the repository allows no row more than that."""
    rows = json.loads(RECORDED.read_text("utf-8"))["rows"]
    names = {field.name for field in fields(Row)}
    for key, row in rows.items():
        bad = -1.0 if row["better"] == "high" else 1.0
        now = Row(**{name: value for name, value in row.items() if name in names} | {"key": key})
        far = replace(now, ratio=now.ratio + bad * max(now.ratio, now.target))
        (verdict,) = compare([far], {"rows": rows})
        assert verdict.is_worse, key
        assert now.better == "low" or verdict.limit > 0


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
    assert found["machine"] == machine()
    assert found["versions"]["django"]
    assert compare([ROW], found)[0].is_worse is False


def test_a_row_whose_rounds_differ_too_much_is_not_recorded(monkeypatch, tmp_path, capsys):
    """The run ends with 1 and names it; the row stays as it was, and the others are recorded."""
    path = tmp_path / "recorded.json"
    noisy = replace(ROW, ratio=0.55, spread=0.08)
    record([ROW], path)
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [noisy, replace(ROW, key="memory")]})
    monkeypatch.setattr(comparison, "RECORDED", path)
    monkeypatch.setattr("sys.argv", ["benchmarks", "--record"])
    assert command.main() == 1
    assert read(path)["rows"]["requests"]["ratio"] == 0.5
    assert "memory" in read(path)["rows"]
    assert (
        "not recorded: requests: its rounds differ by 0.080, more than 0.075 (12.5% of 0.600); "
        "measure it again on a quiet machine"
    ) in capsys.readouterr().out


def test_the_machine_is_named_without_the_release_of_its_system():
    """A release names a build, which says nothing of a figure."""
    assert platform.release() not in machine()
    assert platform.system() in machine()
    assert re.search(r", \w+$", read()["machine"])


def test_programs_are_looked_for_before_anything_is_measured(monkeypatch, capsys):
    """One sentence says which is missing, and nothing that was measured is lost."""
    monkeypatch.setenv("PATH", "")
    measured = []
    monkeypatch.setitem(command.PARTS, "formatter", lambda: measured.append(1) or [])
    monkeypatch.setattr("sys.argv", ["benchmarks", "formatter", "serving", "celery"])
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert (ended.value.code, measured) == (2, [])
    assert capsys.readouterr().err == (
        "wrk and redis-server are not installed: install them, or name the parts to measure, "
        "without serving and celery\n"
    )


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
    assert "worse: requests: 0.700, recorded 0.500, allowed at most 0.580 (what it is)\n" in out
    noisy = replace(ROW, ratio=0.9, spread=0.2)
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [noisy]})
    assert command.main() == 1
    assert (
        "worse: requests: 0.900, recorded 0.500, allowed at most 0.800 (what it is); its rounds "
        "differ by 0.200, so this may be chance: measure it again on a quiet machine\n"
    ) in capsys.readouterr().out
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [ROW]})
    assert command.main() == 0
    assert "1 of 1 rows are as recorded, or better" in capsys.readouterr().out


def test_check_names_what_differs_from_the_recorded_run(monkeypatch, tmp_path, capsys):
    """Another processor, or another version, may be what made a row worse."""
    path = tmp_path / "recorded.json"
    record([ROW], path)
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [ROW]})
    monkeypatch.setattr(comparison, "RECORDED", path)
    monkeypatch.setattr("sys.argv", ["benchmarks", "--check"])
    assert command.main() == 0
    assert "differs" not in capsys.readouterr().out
    before = read(path)
    before["machine"] = "4 cores of another processor, Linux"
    before["versions"] |= {"django": "5.2.1", "gone": "1.0"}
    path.write_text(json.dumps(before), "utf-8")
    assert command.main() == 0
    differing = [line for line in capsys.readouterr().out.splitlines() if "differs" in line]
    assert differing == [
        f"differs: machine: recorded with 4 cores of another processor, Linux, here {machine()}",
        f"differs: django: recorded with 5.2.1, here {django.__version__}",
        "differs: gone: recorded with 1.0, here none",
    ]


def test_without_check_a_missed_target_is_a_failure(monkeypatch, capsys):
    """A target is a limit of its own, whatever is recorded."""
    monkeypatch.setattr("sys.argv", ["benchmarks"])
    monkeypatch.setattr(command, "PARTS", {"part": lambda: [ROW, HIGH]})
    assert command.main() == 1
    assert "1 of 2 targets reached" in capsys.readouterr().out


def test_the_figure_and_its_spread_are_of_the_rounds():
    """Contenders that slow down together have a steady ratio, and so no spread."""
    turns = Turns(["ours", "theirs"])
    turns.taken = {"ours": [1, 2, 3], "theirs": [2, 4, 6]}
    assert turns.medians == {"ours": 2, "theirs": 4}
    assert turns.middle(lambda values: values["ours"] / values["theirs"]) == 0.5
    assert turns.spread(lambda values: values["ours"] / values["theirs"]) == 0
    turns.taken["theirs"] = [2, 4, 60]
    assert turns.middle(lambda values: values["ours"] / values["theirs"]) == 0.5
    turns.taken["ours"] = [1, 4, 6]
    assert turns.spread(lambda values: values["ours"]) == 2


def test_in_a_round_the_median_of_each_contenders_turns_counts(monkeypatch):
    """They take turns, turn by turn; the first round does not count."""
    told = []

    class Stub:
        def __init__(self, name):
            self.name = name

        def seconds(self):
            told.append(self.name)
            return len(told)

        def __enter__(self):
            return self

        def __exit__(self, *arguments):
            told.append("end")

    monkeypatch.setattr(measure, "Contender", Stub)
    turns = take_turns({"a": ("a",), "b": ("b",)}, rounds=2, turns_each=3)
    assert told == ["a", "b"] * 9 + ["end", "end"]
    assert turns.taken == {"a": [9, 15], "b": [10, 16]}


def test_every_contender_is_ended(monkeypatch):
    """One that cannot be ended fails the measurement, and leaves none of the others running."""
    ended = []

    class Stub:
        def __init__(self, name):
            self.name = name

        def seconds(self):
            return 1

        def __enter__(self):
            return self

        def __exit__(self, *arguments):
            ended.append(self.name)
            raise OSError(self.name)

    monkeypatch.setattr(measure, "Contender", Stub)
    with pytest.raises(OSError, match="a"):
        take_turns({"a": ("a",), "b": ("b",)}, rounds=1)
    assert sorted(ended) == ["a", "b"]


def test_the_repository_has_a_record_of_every_row():
    """What is recorded has all that ``--check`` and the documentation read."""
    rows = json.loads(RECORDED.read_text("utf-8"))["rows"]
    assert len(rows) >= 20
    for row in rows.values():
        assert {"what", "ratio", "target", "spread", "better", "measured", "load"} <= set(row)
