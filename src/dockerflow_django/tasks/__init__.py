"""What runs beside the web process: its probes, its summaries, and how it stops."""
