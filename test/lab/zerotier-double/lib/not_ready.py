"""A controller whose database is not ready: ordered by a test with ORDER, for as long as it is there.

Read in the real one (controller/EmbeddedNetworkController.cpp, DB.cpp): it says so with 503, and all that needs the database
waits for it.
"""

import os
import time

ORDER = "/run/zerotier-double-not-ready"
LOOK_EVERY = 0.2


def is_ordered() -> bool:
    return os.path.exists(ORDER)


def wait() -> None:
    while is_ordered():
        time.sleep(LOOK_EVERY)
