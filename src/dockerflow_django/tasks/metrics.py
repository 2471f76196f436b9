"""How many tasks have ended, in which state, after how long: counted in a worker's main process."""

from prometheus_client import Counter, Histogram

# A task takes from milliseconds to half an hour.
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

TASKS = Counter(
    "dockerflow_tasks_total",
    "Executions of tasks that have ended, by task and state.",
    ["task", "state"],
)
DURATION = Histogram(
    "dockerflow_task_duration_seconds",
    "How long each execution took, from its start to its end in whatever state.",
    ["task"],
    buckets=DURATION_BUCKETS,
)


def count(task: str, state: str, seconds: float | None) -> None:
    """Count an execution; `seconds` is None for one that never started."""
    TASKS.labels(task, state).inc()
    if seconds is not None:
        DURATION.labels(task).observe(seconds)
