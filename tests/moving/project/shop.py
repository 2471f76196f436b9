"""What the usages name: a version, a check, middlewares."""

from django.core.checks import Info
from dockerflow.logging import request_id_context


def version(root):
    return {"version": "callback"}


def check_stock(app_configs, **kwargs):
    return [Info("Little in stock.", id="shop.I001")]


class FirstMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class AuditLogMiddleware(FirstMiddleware):
    def __call__(self, request):
        request_id_context.set("the-audit-id")
        response = self.get_response(request)
        response["X-Request-ID"] = "the-audit-id"
        return response
