"""A module that cannot be imported, like a project's that lacks something."""

1 / 0  # noqa: B018 - that is what is broken about it
