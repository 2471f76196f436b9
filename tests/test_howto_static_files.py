"""The example of `docs/howto/static-files.rst`, with WhiteNoise itself."""

import json

from tests.documents import ROOT, blocks_in
from tests.servers.summaries import HEADER, is_record

PAGE = ROOT / "docs/howto/static-files.rst"
NAMES = ("MIDDLEWARE", "STORAGES", "DOCKERFLOW_SUMMARY_EXCLUDE")


def test_files_and_probes_are_served(serve, project):
    """A file has an id and headers and no summary; a probe is answered before WhiteNoise."""
    (block,) = (block for block in blocks_in(PAGE) if block.language == "python")
    example = {"BASE_DIR": project.folder}
    exec(block.text, example)
    project = project.with_settings(**{name: example[name] for name in NAMES}).with_environ(
        PROJECT_LOGGING="1", DOCKERFLOW_CHECK_TIMEOUT="30"
    )
    done = project.manage("collectstatic", "--no-input")
    assert done.returncode == 0, done.stderr
    (project.folder / "static/shop.css").write_text("body {}")
    server = serve("granian-wsgi", project)
    answer = server.get("/static/shop.css")
    assert (answer.status, answer.body) == (200, b"body {}")
    for name in (HEADER, "X-Content-Type-Options", "Cache-Control"):
        assert answer.headers[name]
    assert server.get("/__heartbeat__", host="10.20.30.40").status == 200
    assert server.get("/static/missing.css").status == 404
    assert server.get("/plain/").status == 200
    server.wait_for_line("/plain/")
    lines = [json.loads(line) for line in server.lines("stdout") if is_record(line)]
    assert [line["Fields"]["path"] for line in lines if line["Type"] == "request.summary"] == [
        "/plain/"
    ]
