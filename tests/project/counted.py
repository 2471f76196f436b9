"""One test as a project writes it, for ``manage.py test tests.project.counted``: it comes first."""

from django.test import TestCase


class AsyncTest(TestCase):
    async def test_queries(self) -> None:
        for url in ("/queries/?n=3", "/queries-async/?n=3"):
            with self.assertLogs("request.summary") as logged:
                await self.async_client.get(url)
            assert logged.records[0].db_queries == 3, logged.records  # type: ignore[attr-defined]
