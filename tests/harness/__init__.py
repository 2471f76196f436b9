"""What black-box tests stand on: real servers, real services, a plain client.

``project``     how one subprocess of ``tests/project`` is set, and its management commands
``servers``     that project under Granian, Gunicorn, Uvicorn or ``runserver``
``http``        a client that can send what no library would
``postgres`` · ``mariadb`` · ``redis`` · ``rabbitmq``   private instances, to stop and freeze
``queues``      queues of a test's own in the RabbitMQ that everybody uses
``blackhole``   peers that never answer
``processes`` · ``lines`` · ``ports`` · ``services`` · ``waiting``   what those are made of
"""
