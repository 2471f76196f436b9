"""``manage.py serve`` as its users run it: in subprocesses, stopped by signals."""
