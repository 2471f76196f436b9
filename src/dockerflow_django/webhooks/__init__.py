"""Webhooks: tell a URL of the startup and of every change of a probe's outcome."""
