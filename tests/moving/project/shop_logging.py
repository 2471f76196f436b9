"""A formatter that adds a field."""

from dockerflow.logging import JsonLogFormatter


class ShopFormatter(JsonLogFormatter):
    def convert_record(self, record):
        out = super().convert_record(record)
        out["Fields"]["shop"] = "north"
        return out
