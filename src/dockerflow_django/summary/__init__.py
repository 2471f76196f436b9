"""The summary: one log record per request, on the logger ``request.summary``.

`record` begins and writes it; the other modules each know one part of its fields.
"""
