"""An app with as many models as ``BENCH_MODELS`` says."""
