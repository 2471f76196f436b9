from django.apps import AppConfig
from django.core import checks


def check_signatures(app_configs, **kwargs):
    return [checks.Error("A signature is wrong.", id="recipes.E001")]


class RecipesConfig(AppConfig):
    name = "recipes"

    def ready(self):
        from dockerflow import health

        assert health.WARNING_UNAPPLIED_MIGRATION
        checks.register(check_signatures)
