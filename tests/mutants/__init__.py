"""Does a test notice a change of the code? ``nox -s mutants`` asks mutmut, room by room."""
