"""``manage.py serve``: Granian, embedded, with a start and a stop that lose no request."""

# With the drain before it, this ends before Kubernetes's 30 seconds do.
GRACEFUL_SECONDS = 20
