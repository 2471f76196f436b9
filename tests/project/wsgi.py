"""What a WSGI server serves."""

from os import environ

from django.core.wsgi import get_wsgi_application

from tests.project.arrivals import announce_wsgi
from tests.project.reached import count_wsgi

environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.project.settings")

application = count_wsgi(announce_wsgi(get_wsgi_application()))
