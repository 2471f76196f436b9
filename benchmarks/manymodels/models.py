"""Models that differ in name alone, with ten fields each."""

import os

from django.db import models

for _number in range(int(os.environ.get("BENCH_MODELS", "10"))):
    _fields = {f"field_{n}": models.CharField(max_length=20) for n in range(10)}
    type(f"Model{_number}", (models.Model,), {"__module__": __name__, **_fields})
