"""System checks of the app's own configuration, under the tag ``dockerflow``.

They judge settings, URLs, middleware and logging. They ask no service, and what is broken
elsewhere, like a URLconf that does not import, is left to Django's own checks.
"""

from dockerflow_django.system_checks import (  # noqa: F401 - each registers its rules
    callables,
    deployment,
    leftovers,
    middleware,
    registration,
    summary_line,
    urls,
    values,
    version_file,
)
