"""What nobody has thought of: requests, files, settings and log records that are made at random.

Each run draws the same, so that a failure is found again; the full size draws more.
"""
