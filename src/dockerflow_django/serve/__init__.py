"""``manage.py serve``: Granian, embedded, with a start and a stop that lose no request."""
