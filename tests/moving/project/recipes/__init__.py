"""An app whose checks python-dockerflow ran, because Django's registry has them."""
