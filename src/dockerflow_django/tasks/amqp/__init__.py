"""``manage.py consume``: hand the messages of one AMQP queue to a function, one after the other.

``options``     what the command was told · ``address``   where the broker is
``broker``      the thread that owns connection and channel: receives, acknowledges, reconnects
``status``      what the probes know of it
``inbox``       between that thread and the handler's
``handling``    the handler's thread: runs the project's function
``actions``     what the broker is to be told, at once or after a pause
``record``      the one ``message.summary`` of a delivery
``waking``      how the threads wake each other
``errors``      which errors are final
``run``         all of it together
"""
