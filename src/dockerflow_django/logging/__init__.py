"""Log lines as JSON, and what keeps secrets out of them."""
