"""The results of requirements, by name."""


def named(results, *statuses):
    """Return the names of the requirements with these statuses."""
    return {name for name, result in results.items() if result.status in statuses}
