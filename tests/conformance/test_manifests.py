"""Requirements of Kubernetes manifests and Compose files: each fails exactly where it should."""

import sys

import pytest
import yaml

from dockerflow_django.conf import Conf
from dockerflow_django.conformance.manifests import stopping
from dockerflow_django.conformance.manifests.documents import UnreadableError, read_documents
from dockerflow_django.conformance.manifests.judgement import judge_manifests
from dockerflow_django.serve.run import GRACEFUL_SECONDS

CONTAINER = {
    "name": "web",
    "image": "shop:1",
    "command": ["python", "manage.py", "serve"],
    "env": [{"name": "PORT", "value": "8000"}, {"name": "DOCKERFLOW_PROBE_PORT", "value": "9000"}],
    "ports": [{"name": "http", "containerPort": 8000}, {"name": "probes", "containerPort": 9000}],
    "startupProbe": {"httpGet": {"path": "/__heartbeat__/startup", "port": "probes"}},
    "readinessProbe": {"httpGet": {"path": "/__heartbeat__/readiness", "port": "probes"}},
    "livenessProbe": {"httpGet": {"path": "/__heartbeat__/liveness", "port": "probes"}},
}
POD = {"terminationGracePeriodSeconds": 35, "securityContext": {"runAsUser": 10001}}
SERVICE = {
    "image": "shop:1",
    "command": "python manage.py serve",
    "environment": {"DOCKERFLOW_DRAIN_SECONDS": 5},
    "stop_grace_period": "35s",
    "healthcheck": {"test": ["CMD", "python", "-m", "dockerflow_django.healthcheck"]},
    "user": "10001:10001",
}


def workload(kind="Deployment", pod=None, **container):
    """Return a workload whose container, or pod, is other in these keys."""
    spec = POD | (pod or {}) | {"containers": [without_none(CONTAINER | container)]}
    template = {"template": {"spec": without_none(spec)}}
    if kind == "CronJob":
        template = {"jobTemplate": {"spec": template}}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "shop"},
        "spec": spec if kind == "Pod" else template,
    }


def compose(**service):
    return {"services": {"web": without_none(SERVICE | service)}}


def without_none(values):
    return {key: value for key, value in values.items() if value is not None}


def http(path, port="probes"):
    return {"httpGet": {"path": path, "port": port}}


def command(*words):
    return {"exec": {"command": list(words)}}


READS_FILE = "python -m dockerflow_django.healthcheck --file /tmp/p"


def worker_file(*options):
    return command(*READS_FILE.split(), *options)


@pytest.fixture
def judge(tmp_path):
    """Give a function that judges documents, or a text, in a file."""

    def judge_file(*documents):
        text = documents[0] if isinstance(documents[0], str) else yaml.safe_dump_all(documents)
        (tmp_path / "m.yaml").write_text(text)
        return list(judge_manifests(read_documents([str(tmp_path / "m.yaml")])))

    return judge_file


def named(results, *statuses):
    return {result.requirement.name for result in results if result.status in statuses}


def of(results, name):
    """Return the statuses of one requirement."""
    return [result.status for result in results if result.requirement.name == name]


def test_right_manifests(judge):
    """Manifests to the rules have nothing but ok."""
    results = judge(workload(), compose())
    assert named(results, "fail", "warn") == set()
    assert named(results, "skip") == {"health-check-asks-nothing-shared"}


# "Service" is Knative's, "DeploymentConfig" OpenShift's.
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Pod", "Service", "DeploymentConfig")


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(judge, kind):
    """Whatever keeps a pod running is judged."""
    assert named(judge(workload(kind)), "fail") == set()
    faulty = workload(kind, livenessProbe=http("/__heartbeat__"))
    assert named(judge(faulty), "fail") == {"liveness-asks-nothing-shared"}


@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_jobs(judge, kind):
    """Of what ends by itself only the user is judged."""
    job = workload(kind, pod={"securityContext": {"runAsUser": 0}}, livenessProbe=None)
    results = judge(job)
    assert named(results, "fail") == {"runs-as-app"}
    assert "readiness-path" not in named(results, "ok", "warn", "skip")


KUBERNETES = {
    "the swap that restarts every pod": (
        {
            "livenessProbe": http("/__heartbeat__"),
            "readinessProbe": http("/__lbheartbeat__"),
        },
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "liveness asks readiness": (
        {"livenessProbe": http("/__heartbeat__/readiness/")},
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "liveness asks below a path": (
        {"livenessProbe": http("/shop/__heartbeat__")},
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "liveness asks what begins alike": (
        {"livenessProbe": http("/__lbheartbeat__x/y")},
        set(),
        {"liveness-path"},
    ),
    "liveness asks by a command": (
        {"livenessProbe": command("sh", "-c", "curl -f http://localhost:8000/__heartbeat__")},
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "liveness runs every check": (
        {"livenessProbe": command("python", "manage.py", "heartbeat")},
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "liveness reads readiness in a worker's file": (
        {"livenessProbe": worker_file("--probe", "readiness")},
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "liveness reads readiness in a worker's file by a shell": (
        {"livenessProbe": command("sh", "-c", f"{READS_FILE} --probe='readiness'; exit $?")},
        {"liveness-asks-nothing-shared"},
        {"liveness-path"},
    ),
    "readiness reads liveness in a worker's file": (
        {"readinessProbe": worker_file()},
        set(),
        {"readiness-path"},
    ),
    "a path of its own": ({"livenessProbe": http("/healthz")}, set(), {"liveness-path"}),
    "the home page": ({"readinessProbe": http("/")}, set(), {"readiness-path"}),
    "readiness asks liveness": (
        {"readinessProbe": http("/__heartbeat__/liveness")},
        set(),
        {"readiness-path"},
    ),
    "startup asks everything": (
        {"startupProbe": http("/__heartbeat__")},
        set(),
        {"startup-path"},
    ),
    "no probes": (
        {"livenessProbe": None, "readinessProbe": None, "startupProbe": None},
        set(),
        {"liveness-path", "readiness-path", "some-probe-asks"},
    ),
    "a port of no name": (
        {"livenessProbe": http("/__heartbeat__/liveness", "probe")},
        {"probe-ports"},
        set(),
    ),
    "drains for too long": (
        {"env": [{"name": "DOCKERFLOW_DRAIN_SECONDS", "value": "60"}]},
        {"grace-exceeds-drain"},
        {"grace-exceeds-stop"},
    ),
    "a preStop that takes too long": (
        {"lifecycle": {"preStop": command("/bin/sh", "-c", "sleep 30")}},
        {"grace-exceeds-drain"},
        {"grace-exceeds-stop"},
    ),
    "stops for too long": (
        {"command": ["python", "manage.py", "serve", "--graceful-timeout=40"]},
        set(),
        {"grace-exceeds-stop"},
    ),
    "root": ({"securityContext": {"runAsUser": 0}}, {"runs-as-app"}, set()),
}


@pytest.mark.parametrize(("changed", "failing", "warned"), KUBERNETES.values(), ids=KUBERNETES)
def test_faulty_container(judge, changed, failing, warned):
    """A container with one fault fails what that fault is about."""
    results = judge(workload(**changed))
    assert named(results, "fail") == failing
    assert named(results, "warn") == warned


RIGHT_CONTAINERS = {
    "another language": {
        "command": None,
        "env": None,
        "livenessProbe": http("/__lbheartbeat__", 8000),
        "readinessProbe": http("/__heartbeat__", "8000"),
        "startupProbe": None,
    },
    "our health check": {"livenessProbe": command("python", "-m", "dockerflow_django.healthcheck")},
    "our health check of a path": {
        "readinessProbe": command(
            "python", "-m", "dockerflow_django.healthcheck", "/__heartbeat__/readiness"
        )
    },
    "our command": {
        "livenessProbe": command("python", "manage.py", "heartbeat", "--probe", "liveness")
    },
    "a worker's file": {
        "livenessProbe": worker_file(),
        "readinessProbe": None,
        "ports": None,
        "startupProbe": None,
    },
    "every probe in a worker's file": {
        "livenessProbe": worker_file("--probe", "liveness"),
        "readinessProbe": worker_file("--probe=readiness"),
        "startupProbe": worker_file("--probe", "startup"),
    },
    "a socket": {"livenessProbe": {"tcpSocket": {"port": 8000}}},
    "below a path": {"livenessProbe": http("/shop/__lbheartbeat__/")},
    "a query": {"livenessProbe": http("/__lbheartbeat__?from=kubelet")},
    "our drain before it": {
        "lifecycle": {"preStop": command("python", "-m", "dockerflow_django.drain", "--wait", "5")}
    },
    "a pause": {"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}},
    "the image's user": {"securityContext": {"runAsNonRoot": True}},
}


@pytest.mark.parametrize("changed", RIGHT_CONTAINERS.values(), ids=RIGHT_CONTAINERS)
def test_right_container(judge, changed):
    """What is right in another way is no false alarm."""
    assert named(judge(workload(**changed)), "fail", "warn") == set()


def test_init_containers(judge):
    """A container that comes before is judged as what ends by itself."""
    first = {"name": "migrate", "image": "shop:1", "securityContext": {"runAsUser": 0}}
    results = judge(workload(pod={"initContainers": [first]}))
    assert [r.subject.rpartition(" ")[2] for r in results if r.status == "fail"] == ["migrate"]
    assert named(results, "fail", "warn") == {"runs-as-app"}


def test_grace_period_of_kubernetes(judge):
    """Without one it is 30 s; what the pod says goes for its containers' user, too."""
    results = judge(workload(pod={"terminationGracePeriodSeconds": None, "securityContext": None}))
    assert of(results, "grace-exceeds-drain") == ["ok"]
    assert of(results, "grace-exceeds-stop") == ["ok"]
    assert of(results, "runs-as-app") == ["skip"]


def test_configuration_from_elsewhere(judge):
    """A ConfigMap in the same files is read; from one that is not there nothing is known."""
    env = {"env": None, "envFrom": [{"configMapRef": {"name": "conf"}}]}
    found = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}}
    found["data"] = {"DOCKERFLOW_DRAIN_SECONDS": "90"}
    assert of(judge(found, workload(**env)), "grace-exceeds-drain") == ["fail"]
    assert of(judge(workload(**env)), "grace-exceeds-drain") == ["skip"]
    key = {"configMapKeyRef": {"name": "conf", "key": "DOCKERFLOW_DRAIN_SECONDS"}}
    env = {"env": [{"name": "DOCKERFLOW_DRAIN_SECONDS", "valueFrom": key}]}
    assert of(judge(workload(**env), found), "grace-exceeds-drain") == ["fail"]
    assert of(judge(workload(**env)), "grace-exceeds-drain") == ["skip"]
    secret = {"envFrom": [{"secretRef": {"name": "secrets"}}]}
    assert of(judge(workload(**secret)), "grace-exceeds-drain") == ["ok"]


def test_lists_and_other_objects(judge):
    """A List is what is in it; what has no pod, and a patch that names no image, is left alone."""
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": []}}
    patch = workload(image=None, livenessProbe=http("/__heartbeat__"))
    listed = {"apiVersion": "v1", "kind": "List", "items": [service, workload(), None]}
    results = judge(listed, patch, {"resources": ["web.yaml"]}, {})
    assert named(results, "fail") == set()
    assert of(results, "liveness-path") == ["ok"]


def test_database_beside_it(judge):
    """A database is not judged by Dockerflow's rules, and a line says so."""
    database = workload(
        "StatefulSet",
        image="postgres:18",
        command=None,
        env=[{"name": "POSTGRES_PASSWORD", "value": "x"}],
        livenessProbe=command("pg_isready"),
        readinessProbe=None,
        startupProbe=None,
    )
    database["metadata"]["name"] = "db"
    results = judge(workload(), database)
    assert named(results, "fail", "warn") == set()
    assert [r.subject.partition(".yaml ")[2] for r in results if r.requirement.name == "is-service"]


def test_same_image(judge):
    """A container of the same image is the same service, whatever it shows."""
    worker = workload(
        command=["celery", "-A", "config", "worker"],
        env=None,
        ports=None,
        livenessProbe=None,
        readinessProbe=None,
        startupProbe=None,
        securityContext={"runAsUser": 1000},
    )
    assert named(judge(workload(), worker), "fail") == {"runs-as-app"}


def test_nothing_to_judge(judge):
    """Manifests in which there is no container do not pass."""
    for documents in ({"apiVersion": "v1", "kind": "Service"}, {"replicas": 2}, "", "- 1\n- 2"):
        assert named(judge(documents), "fail") == {"describe-a-container"}


STRANGE = [
    {"spec": None},
    {"spec": {"template": []}},
    {"spec": {"template": {"spec": {"containers": "web"}}}},
    {
        "spec": {
            "template": {"spec": {"containers": [None, 1, {"image": 1, "env": {}, "ports": 7}]}}
        }
    },
    {"spec": {"template": {"spec": {"containers": [{"image": "x", "env": [1, {"name": None}]}]}}}},
    {"metadata": [], "spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}},
]


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_shapes(judge, strange):
    """What no cluster would take is no traceback."""
    judge({"apiVersion": "apps/v1", "kind": "Deployment"} | strange, {"services": [strange]})
    judge({"services": {"a": strange, "b": {"image": [], "environment": 7, "healthcheck": "x"}}})


SWARM = {"deploy": {"replicas": 2, "update_config": {"order": "start-first"}}}
COMPOSE = {
    "Swarm asks everything": (
        SWARM | {"healthcheck": {"test": "curl -f http://localhost/__heartbeat__"}},
        {"health-check-asks-nothing-shared"},
        set(),
    ),
    "Swarm reads readiness in a worker's file": (
        SWARM | {"healthcheck": {"test": f"{READS_FILE} --probe readiness"}},
        {"health-check-asks-nothing-shared"},
        set(),
    ),
    "a page": (
        {"healthcheck": {"test": ["CMD", "curl", "http://localhost/"]}, "command": "run"},
        set(),
        {"some-probe-asks"},
    ),
    "another endpoint": (
        {"healthcheck": {"test": ["CMD", "curl", "http://localhost/__heartbeat__/startup"]}},
        set(),
        {"health-check-path"},
    ),
    "Docker's grace period": (
        {"stop_grace_period": None, "environment": ["DOCKERFLOW_DRAIN_SECONDS=10"]},
        {"grace-exceeds-drain"},
        {"grace-exceeds-stop"},
    ),
    "a short grace period": ({"stop_grace_period": "1m30s500ms"}, set(), set()),
    "the graceful stop is cut": ({"stop_grace_period": "20s"}, set(), {"grace-exceeds-stop"}),
    "root": ({"user": "0"}, {"runs-as-app"}, set()),
    "another user by default": ({"user": "${WHO:-1000}"}, {"runs-as-app"}, set()),
}


@pytest.mark.parametrize(("changed", "failing", "warned"), COMPOSE.values(), ids=COMPOSE)
def test_faulty_compose(judge, changed, failing, warned):
    """A Compose file with one fault fails what that fault is about."""
    results = judge(compose(**changed))
    assert named(results, "fail") == failing
    assert named(results, "warn") == warned


RIGHT_COMPOSE = {
    "Compose may ask everything": {"healthcheck": {"test": "curl -f localhost/__heartbeat__"}},
    "Swarm asks liveness": SWARM,
    "Swarm reads liveness in a worker's file": SWARM | {"healthcheck": {"test": READS_FILE}},
    "Gunicorn": {"command": "gunicorn config.wsgi", "stop_grace_period": "40s"},
    "a command that no shell reads": {"command": "run 'it"},
    "a dollar": {"environment": {"PRICE": "$$5"}},
    "the image's health check": {"healthcheck": None},
    "built here": {"image": None, "build": "."},
    "a job of Swarm": {
        "deploy": {"mode": "replicated-job"},
        "healthcheck": None,
        "stop_grace_period": None,
    },
    "a user from outside": {"user": "${UID}:${GID}"},
    "a user from outside, or ours": {"user": "${WHO:-app}"},
    "a variable from outside": {"environment": ["DOCKERFLOW_DRAIN_SECONDS"]},
    "a default from the file": {"environment": {"DOCKERFLOW_DRAIN_SECONDS": "${DRAIN:-3}"}},
}


@pytest.mark.parametrize("changed", RIGHT_COMPOSE.values(), ids=RIGHT_COMPOSE)
def test_right_compose(judge, changed):
    """What is right in another way is no false alarm."""
    results = judge(compose(**changed))
    assert named(results, "fail", "warn") - {"some-probe-asks"} == set()


def test_no_health_check(judge):
    """A health check that is switched off asks nothing."""
    results = judge(compose(healthcheck={"test": ["NONE"]}))
    assert of(results, "health-check-path") == ["skip"]


def test_environment_file(judge, tmp_path):
    """A file of variables is read beside the Compose file; without it nothing is known."""
    service = {"environment": None, "env_file": ["env"], "stop_grace_period": "20s"}
    assert of(judge(compose(**service)), "grace-exceeds-drain") == ["skip"]
    (tmp_path / "env").write_text("# drain\nexport DOCKERFLOW_DRAIN_SECONDS='30'\n")
    assert of(judge(compose(**service)), "grace-exceeds-drain") == ["fail"]
    service["env_file"] = [{"path": "env", "required": False}]
    assert of(judge(compose(**service)), "grace-exceeds-drain") == ["fail"]


def test_tags_and_anchors(judge):
    """Compose's tags, anchors and merges are read; JSON is YAML as well."""
    text = """
x-all: &all {stop_grace_period: 35s, image: "shop:1"}
services:
  web:
    <<: *all
    environment: !override {DOCKERFLOW_DRAIN_SECONDS: "5"}
    ports: !reset []
    healthcheck: {test: !reset null}
"""
    assert of(judge(text), "grace-exceeds-drain") == ["ok"]
    assert of(judge('{"services": {"a": {"image": "x"}}}'), "describe-a-container") == ["ok"]
    tabs = '{\n\t"services": {\n\t\t"a": {"image": "x"}\n\t}\n}'
    assert of(judge(tabs), "describe-a-container") == ["ok"]


def test_plain_equals_sign(judge):
    """It is a text, as YAML 1.2 has it."""
    text = "services: {web: {image: x, labels: {operator: =, =: is}}}"
    assert of(judge(text), "describe-a-container") == ["ok"]


def test_files_and_folders(tmp_path):
    """A folder is every manifest in it, however deep; without any it is an error."""
    (tmp_path / "deep").mkdir()
    with pytest.raises(UnreadableError, match=r"no \.yaml"):
        read_documents([str(tmp_path)])
    (tmp_path / "deep" / "a.yml").write_text(yaml.safe_dump(workload()))
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("{{")
    assert len(read_documents([str(tmp_path)])) == 2


def test_what_is_no_file(tmp_path):
    """A folder that is called like a manifest, and a link into nowhere, are passed over."""
    (tmp_path / "chart.yaml").mkdir()
    (tmp_path / ".#web.yaml").symlink_to("somebody@somewhere.4711")
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(workload()))
    assert [each.name for each in read_documents([str(tmp_path)])] == [str(tmp_path / "web.yaml")]


def test_unreadable_file(tmp_path):
    """A file that cannot be read is one line with its name and the reason."""
    path = tmp_path / "web.yaml"
    path.symlink_to("/proc/self/mem")
    with pytest.raises(UnreadableError) as caught:
        read_documents([str(tmp_path)])
    assert str(caught.value) == f"{path}: Input/output error"


BOMB = "a0: &a0 [x]\n" + "\n".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: b: c", "m.yaml:1:5: not YAML: mapping values are not allowed here"),
        ("a:\n\t- b", "m.yaml:2:1: not YAML"),
        ("replicas: {{ .Values.replicas }}\nx: [", "render the template first"),
        ("a: &x [*y]", "undefined alias"),
        ("d: 2026-99-99", "m.yaml: not YAML: month must be in 1..12"),
        ("d: !!timestamp soon", "m.yaml: not YAML: a value does not fit its tag"),
        ("d: !!bool perhaps", "m.yaml: not YAML: a value does not fit its tag"),
        ("[" * 600, "not YAML"),
        ("[" * 600 + "]" * 600, "not YAML"),
        (BOMB, "more than 1000000 values"),
        ("a: &a [*a]", "more than 1000000 values"),
    ],
)
def test_broken_yaml(tmp_path, text, reason):
    """What cannot be read is one line with its place."""
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(UnreadableError) as caught:
        read_documents([str(tmp_path / "m.yaml")])
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_pyyaml(tmp_path, monkeypatch):
    """Where PyYAML is missing, the reader says what to install."""
    path = tmp_path / "web.yaml"
    path.write_text("kind: Deployment\n")
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(UnreadableError, match=r"pip install 'dockerflow-django\[check\]'"):
        read_documents([str(path)])


def test_defaults_are_those_of_the_app():
    """What a manifest does not say is what the app does."""
    assert Conf.DOCKERFLOW_DRAIN_SECONDS.default == stopping.DRAIN_SECONDS
    assert GRACEFUL_SECONDS == stopping.SERVE_SECONDS
