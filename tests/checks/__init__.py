"""Tests of the shipped checks, a module a service."""
