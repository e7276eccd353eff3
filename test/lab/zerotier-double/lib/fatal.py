"""What ends the service: one line on standard error, and exit code 1 (one.cpp)."""


class Fatal(Exception):
    pass
