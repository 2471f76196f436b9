"""What is beside the app and not as usual: interpreters, users, clocks, disks, log sinks.

`docs/explanation/reliability.rst` says what is promised in each case.
"""
