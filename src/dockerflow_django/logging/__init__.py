"""The log line: a plain first version."""

import json
import logging
import socket
from typing import Any

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SEVERITY = {50: 2, 40: 3, 30: 4, 20: 6, 10: 7}


class MozlogFormatter(logging.Formatter):
    """Write a record as one JSON object."""

    def __init__(
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Any = "%",
        logger_name: str = "Dockerflow",
    ) -> None:
        super().__init__(fmt, datefmt, style)
        self.logger_name = logger_name

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if message := record.getMessage():
            fields["msg"] = message
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        envelope = {
            "Timestamp": int(record.created * 1e9),
            "Type": record.name,
            "Logger": self.logger_name,
            "Hostname": socket.gethostname(),
            "EnvVersion": "2.0",
            "Severity": _SEVERITY.get(record.levelno, 7),
            "Pid": record.process,
            "Fields": fields,
        }
        return json.dumps(envelope, default=repr)


def logging_config(logger_name: str, level: str = "INFO") -> dict[str, Any]:
    """Return a ``LOGGING`` that writes mozlog to stdout."""
    formatter = {"()": "dockerflow_django.logging.MozlogFormatter", "logger_name": logger_name}
    handler = {
        "class": "logging.StreamHandler",
        "stream": "ext://sys.stdout",
        "formatter": "mozlog",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"mozlog": formatter},
        "handlers": {"stdout": handler},
        "root": {"handlers": ["stdout"], "level": level},
    }
