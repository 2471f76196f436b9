"""What Prometheus scrapes: the app's metrics, fed by the heartbeat's signals.

``definitions``   the metrics, in prometheus_client's default registry
``starting``      when a process begins to feed them
``feed``          what writes to them, once this process serves and somebody can read them
``process``       what this process is doing now: requests in progress, readiness
``workers``       many processes: a folder of values, and what is left when one of them dies
``disk_space``    what keeps a full folder from ending a process
``exposition``    all of it as text · ``views`` · ``urls``   the same at ``/__metrics__``
``dashboards``    a dashboard for Grafana, and rules for Prometheus
``middleware``    django-prometheus's, with labels that a client cannot multiply
"""
