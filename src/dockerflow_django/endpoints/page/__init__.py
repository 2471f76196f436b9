"""The heartbeat for people: what a browser gets at ``/__heartbeat__``."""
