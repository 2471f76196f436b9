"""Health and observability for Django in containers."""
