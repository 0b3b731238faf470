"""``python -m local.stack up|down``."""

import sys

from local.stack.supervisor import main

sys.exit(main())
