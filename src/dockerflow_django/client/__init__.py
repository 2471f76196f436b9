"""What the command-line clients are made of: the standard library, and little of that."""
