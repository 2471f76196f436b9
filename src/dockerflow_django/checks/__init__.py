"""The checks that the package ships, one module a service."""
