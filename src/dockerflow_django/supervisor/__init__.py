"""What the process that starts the workers knows of them, and how it answers the probes.

``channel``      one pair of sockets for each worker: questions one way, answers the other
``clock``        the time in which this process ran
``pool``         the workers, and the one thread that asks and listens
``speaker``      log lines that hold up nobody
``probes``       what the last answers of all workers amount to
``probe_port``   the HTTP listener that says so
``container``    all of it, with webhooks, drain and metrics: what `serve` and Gunicorn use
``settings``     what a supervisor needs to know of the settings, and how to read it
``worker``       the other side: what a worker answers · ``application``: what it serves
"""
