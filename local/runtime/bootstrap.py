"""First code of a worker's process: makes it end with its parent, then runs AWS's runtime interface client.

It runs in the environment that holds ``awslambdaric`` alone, so it imports nothing of this project. ``argv``: the parent's
process id, the handler.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Run the handler's runtime loop; it returns only by an exception."""
    parent = int(sys.argv.pop(1))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The parent ended before the line above: nothing would ever end this process.
        sys.exit("the runtime that started this worker has ended")
    from awslambdaric.__main__ import main as run

    run(sys.argv)


if __name__ == "__main__":
    main()
