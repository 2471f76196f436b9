"""URLs with secrets in their paths."""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path, re_path


def view(request, **_kwargs):  # pragma: no cover - runs in a server's process
    """Answer 200."""
    return HttpResponse("fine")


def fail(request):  # pragma: no cover - runs in a server's process
    """Raise, as a database driver does, with its connection string."""
    raise OSError("no route to postgres://shop:planted@db/shop")


accounts = [
    path("reset/<uidb64>/<token>/", view),
    re_path(r"^confirm/(?P<key>[^/]+)/(?P<page>\d+)?$", view),
]

urlpatterns = [
    path("", view),
    path("fail/", fail),
    path("accounts/", include(accounts)),
    path("<slug:api_key>/inside/", include([path("<int:pk>/", view)])),
    *i18n_patterns(path("invite/<token>/", view)),
]
