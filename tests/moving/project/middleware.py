"""A middleware made from theirs."""

from dockerflow.django.middleware import DockerflowMiddleware


class TenantMiddleware(DockerflowMiddleware):
    def _build_extra_meta(self, request):
        return {**super()._build_extra_meta(request), "tenant": "north"}
