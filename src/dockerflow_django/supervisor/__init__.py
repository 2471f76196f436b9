"""What the process that starts the workers knows of them, and how it answers the probes.

``channel``      one pair of sockets for each worker: questions one way, answers the other
``clock``        the time in which this process ran
``known``        what is known of one worker
``pool``         the workers, and the one thread that asks and listens
``speaker``      log lines that hold up nobody
``probes``       what the last answers of all workers amount to
``probe_port``   the HTTP listener that says so · ``reserve``: a descriptor kept for it
``answers``      what it says: probes, and metrics from a worker
``container``    all of it, with webhooks, drain and metrics: what `serve` and Gunicorn use
``settings``     what it needs to know of the settings · ``settings_child``: read by another process
``worker``       the other side: what a worker answers · ``application``: what it serves
``hub``          the same in a worker of gevent
"""
