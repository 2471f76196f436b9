"""Tests as a project that uses the app writes them, for ``manage.py test tests.project.cases``.

They ask the heartbeat of whatever database the project is set to, in every kind of test case.
"""

import json
import threading
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.core import checks
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import (
    AsyncClient,
    LiveServerTestCase,
    SimpleTestCase,
    TestCase,
    TransactionTestCase,
    override_settings,
)

from dockerflow_django.testing import assert_ready, replace_check, reset


def check_users(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return [checks.Info(f"{User.objects.count()} users", id="project.I001")]


async def check_users_async(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return [checks.Info(f"{await User.objects.acount()} users", id="project.I001")]


DETAILED = override_settings(
    DOCKERFLOW_HEARTBEAT_DETAILS="always",
    DOCKERFLOW_CHECKS=[
        "dockerflow_django.checks.check_database_connected",
        "dockerflow_django.checks.check_migrations_applied",
        "tests.project.cases.check_users",
        "tests.project.cases.check_users_async",
    ],
)


class Asked:
    """What every kind of test case asks."""

    def setUp(self) -> None:
        reset()

    def assert_one_user(self, status: int, body: bytes) -> None:
        payload = json.loads(body)
        assert status == 200, payload
        assert payload["status"] == "info", payload
        for name in ("check_users", "check_users_async"):
            assert payload["details"][name]["messages"] == {"project.I001": "1 users"}, payload
        assert payload["checks"]["check_migrations_applied"] == "ok", payload


@DETAILED
class InTestCase(Asked, TestCase):
    def test_checks_see_what_the_test_wrote(self) -> None:
        User.objects.create(username="ada")
        response = self.client.get("/__heartbeat__")
        self.assert_one_user(response.status_code, response.content)

    def test_unapplied_migration_of_this_test_is_seen(self) -> None:
        assert_ready(self.client)
        MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
        assert self.client.get("/__heartbeat__").status_code == 500

    async def test_async_client_sees_what_the_test_wrote(self) -> None:
        await User.objects.acreate(username="ada")
        response = await AsyncClient().get("/__heartbeat__")
        self.assert_one_user(response.status_code, response.content)

    def test_replaced_check(self) -> None:
        with replace_check("check_database_connected", checks.Error("down", id="project.E001")):
            assert self.client.get("/__heartbeat__").status_code == 500


@DETAILED
class InTransactionTestCase(Asked, TransactionTestCase):
    def test_checks_see_what_the_test_wrote(self) -> None:
        User.objects.create(username="ada")
        response = self.client.get("/__heartbeat__")
        self.assert_one_user(response.status_code, response.content)

    async def test_async_client_sees_what_the_test_wrote(self) -> None:
        await User.objects.acreate(username="ada")
        response = await AsyncClient().get("/__heartbeat__")
        self.assert_one_user(response.status_code, response.content)

    def test_storm_of_heartbeats(self) -> None:
        User.objects.create(username="ada")
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(self.client_class().get("/__heartbeat__"))
            )
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert [answer.status_code for answer in answers] == [200] * 10


@DETAILED
class InLiveServerTestCase(Asked, LiveServerTestCase):
    def test_checks_see_what_the_test_wrote(self) -> None:
        User.objects.create(username="ada")
        server = HTTPConnection(urlsplit(self.live_server_url).netloc, timeout=20)
        for _ in range(3):
            server.request("GET", "/__heartbeat__")
            response = server.getresponse()
            self.assert_one_user(response.status, response.read())
        server.close()


@override_settings(DOCKERFLOW_CHECKS=[])
class InSimpleTestCase(Asked, SimpleTestCase):
    def test_endpoint_without_a_database(self) -> None:
        for path in ("/__heartbeat__", "/__lbheartbeat__", "/__heartbeat__/liveness"):
            assert self.client.get(path).status_code == 200, path
