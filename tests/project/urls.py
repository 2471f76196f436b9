"""The app's own URLs, and one path for each view."""

from django.urls import include, path

from tests.project.views import answers, state, streams, waits

urlpatterns = [
    path("", include("dockerflow_django.urls")),
    path("plain/", answers.plain, name="plain"),
    path("plain-async/", answers.plain_async),
    path("where/", answers.where),
    path("moved/", answers.moved),
    path("missing-raised/", answers.missing_raised),
    path("missing-returned/", answers.missing_returned),
    path("forbidden/", answers.forbidden),
    path("broken/", answers.broken),
    path("broken-async/", answers.broken_async),
    path("unavailable/", answers.unavailable),
    path("too-large/", answers.too_large),
    path("echo/", answers.echo),
    path("items/<int:pk>/", answers.item, name="item"),
    path("reset/<uidb64>/<token>/", answers.reset),
    path("stream/", streams.stream),
    path("stream-async/", streams.stream_async),
    path("stream-broken/", streams.stream_broken),
    path("stream-broken-async/", streams.stream_broken_async),
    path("file/", streams.file),
    path("slow/", waits.slow),
    path("slow-async/", waits.slow_async),
    path("stall-loop/", waits.stall_loop),
    path("blocked/", waits.blocked),
    path("blocked-async/", waits.blocked_async),
    path("user/", state.user),
    path("user-async/", state.user_async),
    path("session/", state.session),
    path("queries/", state.queries),
    path("queries-async/", state.queries_async),
]
