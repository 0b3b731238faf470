"""``python -m local.stack up|down``."""

from __future__ import annotations

import sys

from local.stack.supervisor import main

sys.exit(main())
