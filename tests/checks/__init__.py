"""Tests of the checks and of their registry."""
