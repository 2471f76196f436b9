"""The heartbeat: one evaluation of a set of checks, shared by all who ask, within a deadline."""
