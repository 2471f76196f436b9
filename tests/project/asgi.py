"""What an ASGI server serves."""

from os import environ

from django.core.asgi import get_asgi_application

from tests.project.arrivals import announce_asgi
from tests.project.reached import count_asgi

environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.project.settings")

application = count_asgi(announce_asgi(get_asgi_application()))
