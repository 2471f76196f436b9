"""What a supervisor knows of its workers: Granian's main process, Gunicorn's arbiter."""
