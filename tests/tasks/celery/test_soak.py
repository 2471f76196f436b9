"""Many tasks: one record for each execution, and none for none."""

from collections import Counter

import pytest

from tests.harness.waiting import wait_until

POOLS = ["prefork", "threads"]
# One task in so many fails, is retried, and is ignored.
FAILS, RETRIES, IGNORES = 10, 11, 13


@pytest.mark.long
@pytest.mark.soak
@pytest.mark.parametrize("pool", POOLS)
def test_one_record_each(celeryd, soak, pool):
    """10,000 tasks with --soak, 300 without: as many records as executions, in their states."""
    total = 10_000 if soak else 300
    expected = {}
    options = [f"--pool={pool}", "--concurrency=4", "--max-tasks-per-child=500"]
    with celeryd.worker(*options) as worker:
        for number in range(total):
            if number % FAILS == 0:
                expected[celeryd.send("fail")] = Counter(FAILURE=1)
            elif number % RETRIES == 0:
                expected[celeryd.send("retry_once")] = Counter(RETRY=1, SUCCESS=1)
            elif number % IGNORES == 0:
                expected[celeryd.send("ignore")] = Counter(IGNORED=1)
            else:
                expected[celeryd.send("add", number, 1)] = Counter(SUCCESS=1)
        executions = sum(counter.total() for counter in expected.values())
        written = worker.output
        wait_until(
            lambda: sum('"task.summary"' in line for line in written.texts()) >= executions,
            timeout=600 if soak else 120,
            what="every execution has its record",
        )
        assert worker.stop().code == 0
        found: dict[str, Counter[str]] = {}
        for each in worker.summaries():
            found.setdefault(each["task_id"], Counter())[each["state"]] += 1
    assert found == expected
