"""What holds for every test: how many examples hypothesis draws, and that a failure can be drawn again."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,  # no timed assertions: machines are shared
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("brief", parent=settings.get_profile("quick"), max_examples=8)  # make test-unit
settings.register_profile("long", parent=settings.get_profile("quick"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
