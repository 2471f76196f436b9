"""The log line."""
