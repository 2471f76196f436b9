"""Measure this app beside its peers: ``nox -s bench``.

Every contender lives in a process of its own, because Django has one configuration a process. The
processes take turns, round after round, so that a slow moment of the machine hits all of them, and
the median of the rounds counts. What runs in one thread is measured in processor time, what waits
for others in time on the wall. Only ratios of one run mean anything.
"""
