"""The project that ``startproject`` makes: its files are in ``project/``."""
