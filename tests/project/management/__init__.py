"""The management commands of the project."""
