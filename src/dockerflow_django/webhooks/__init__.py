"""Webhooks: tell a URL of the startup and of every change of a probe's outcome.

``payload``     what is posted
``receiver``    who is sent them, and the secret that signs
``sender``      posting it: in order, from one thread, signed, retried
``delivery``    one attempt to post it
``container``   one sender for all the workers of a supervisor
``process``     a process that serves without a supervisor sends for itself
``listening``   whether this process serves, and what it hears of its own heartbeat
"""
