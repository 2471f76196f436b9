"""The proof of reliability: ``nox -s torture``. Other sessions leave this folder out."""
