"""The reference of the metrics has each of them, with type, labels and multi-process mode."""

import re

from prometheus_client import Counter

from dockerflow_django.metrics import definitions
from dockerflow_django.tasks import metrics as task_metrics
from tests.documents import ROOT
from tests.reference import fields_by_term

REFERENCE = ROOT / "docs" / "reference" / "metrics.rst"
ONE_PROCESS = "the worker's main process counts for all"


def told():
    return fields_by_term(REFERENCE)


def metrics():
    """Return every metric of the app by the name that a scrape shows."""
    defined = [
        value for value in vars(definitions).values() if hasattr(value, "_multiprocess_mode")
    ]
    defined += [definitions.CHECK_DURATION, definitions.HEARTBEATS]
    defined += [definitions.ready(), definitions.requests_in_progress()]
    defined += [task_metrics.TASKS, task_metrics.DURATION]
    return {
        f"{metric._name}_total" if isinstance(metric, Counter) else metric._name: metric
        for metric in defined
    }


def test_every_metric_is_described():
    """Each has its entry, and no entry is of another: what is registered is looked up by name."""
    assert set(told()) == set(metrics())
    source = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "src").rglob("*.py")
        if path.name in {"definitions.py", "metrics.py"}
    )
    assert set(re.findall(r'^ *"(dockerflow_\w+)",$', source, re.MULTILINE)) == set(told())


def test_type_and_labels():
    """They are those of the definition."""
    for name, metric in metrics().items():
        fields = told()[name]
        assert fields["Type"] == metric._type
        assert fields["Labels"] == (", ".join(metric._labelnames) or "none")


def test_many_processes():
    """A gauge says its mode, a counter and a histogram that they are summed up."""
    for name, metric in metrics().items():
        said = told()[name]["Many processes"]
        mode = getattr(metric, "_multiprocess_mode", None)
        if mode is not None:
            assert said.endswith(f"({mode})")
        elif name.startswith("dockerflow_task"):
            assert said == ONE_PROCESS
        else:
            assert said == "the sum of all"
