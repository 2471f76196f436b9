"""System checks (to come)."""
