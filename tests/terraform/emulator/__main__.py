"""Serve the emulator: ``python -m tests.terraform.emulator --port 5000``."""

from __future__ import annotations

import argparse
import logging

from moto.core.config import default_user_config
from moto.server import main

from tests.terraform.emulator import (
    appconfig,
    authorization,
    budgets,
    elasticache,
    gateway,
    glue_runs,
    inventory,
    lambdas,
    msk,
    offers,
    patches,
    settings,
    state_machines,
)

parser = argparse.ArgumentParser(description="Serve moto with the services that this project needs.")
parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
port = parser.parse_args().port

default_user_config["lambda"]["use_docker"] = False  # functions answer, but none runs
default_user_config["iam"]["load_aws_managed_policies"] = True  # bootstrap attaches one
for module in (
    appconfig,
    budgets,
    msk,
    elasticache,
    lambdas,
    gateway,
    offers,
    glue_runs,
    state_machines,
    authorization,
    patches,
    settings,
    inventory,
):
    module.install()
logging.getLogger("werkzeug").setLevel(logging.WARNING)
main(["--host", "127.0.0.1", "--port", str(port)])
