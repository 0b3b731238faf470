"""The real functions' zips: their content and size, and that each can be imported on its own."""

from __future__ import annotations

import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from local.runtime.package import unpack
from ops.manifests import FUNCTIONS_DIR, ROOT, Reference, function_names, read_functions
from ops.packaging.functions import build_zip

if TYPE_CHECKING:
    from pathlib import Path

    from ops.packaging.requirements import Arch

LIMIT_MIB = {"persist": 8, "alert": 8, "console": 15}
LARGEST_MIB = 30
"""Lambda accepts 50 MiB zipped. CEL is most of score's zip."""

UNZIPPED_LIMIT_MIB = 250
"""Lambda's quota of an unzipped package."""

SAMPLES = {
    "cache.endpoint": "redis://127.0.0.1:6379/0",
    "topic.fraud_alerts": "arn:aws:sns:us-east-1:000000000000:fraud-alerts",
    "queue.quarantine": "http://127.0.0.1:1/000000000000/quarantine",
    "kafka.security_protocol": "PLAINTEXT",
    "audit_heads.lock_mode": "GOVERNANCE",
    "audit_heads.retention_days": "30",
    "console.url": "https://console.example/v1",
    "identity.issuer": "https://issuer.example/pool",
    "identity.discovery_url": "https://issuer.example/pool/.well-known/openid-configuration",
}

IMPORT_ALL = """
import importlib, importlib.metadata, importlib.util, pathlib, sys
root = pathlib.Path(sys.argv[1])
modules, distributions = sys.argv[2].split(","), sys.argv[3:]
for folder in list(modules):
    for file in sorted((root / folder).rglob("*.py")):
        modules.append(".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__"))
for name in modules:
    module = importlib.import_module(name)
    assert module.__file__.startswith(str(root)), module.__file__
for distribution in distributions:
    importlib.metadata.version(distribution)
if importlib.util.find_spec("botocore"):
    import botocore.session
    session = botocore.session.get_session()
    for service in session.get_available_services():
        session.create_client(service, region_name="us-east-1")
    print(" ".join(session.get_available_services()))
"""


@pytest.mark.parametrize("name", function_names())
def test_everything_of_a_function_is_imported_from_its_zip_alone(name: str, tmp_path: Path) -> None:
    root = unpack(build_zip(name), tmp_path)
    spec = read_functions()[name]
    environment = {
        key: SAMPLES.get(value.ref, "sample") if isinstance(value, Reference) else value
        for key, value in spec.environment.items()
    }
    locked = [
        line.split("==")[0]
        for line in (FUNCTIONS_DIR / name / "requirements.txt").read_text().splitlines()
        if "==" in line and ";" not in line and not line.startswith((" ", "#"))
    ]

    done = subprocess.run(
        [
            ROOT / ".venv-lambda" / "bin" / "python",
            "-P",
            "-c",
            IMPORT_ALL,
            root,
            ",".join(spec.packages),
            *locked,
        ],
        env={
            **environment,
            "PYTHONPATH": str(root),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "HOME": str(root),
        },
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    traced = {"xray"} if (root / "aws_xray_sdk").is_dir() else set()  # the tracer makes a client of X-Ray
    assert done.stdout.split() == sorted({*spec.aws_services} | traced)


@pytest.mark.parametrize("arch", ["host", "arm64"])
@pytest.mark.parametrize("name", function_names())
def test_a_zip_is_small_and_holds_nothing_of_other_stages(name: str, arch: Arch) -> None:
    path = build_zip(name, arch)

    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    tops = {entry.filename.split("/")[0] for entry in entries}
    packages = {*read_functions()[name].packages}
    folders = {folder.name for folder in FUNCTIONS_DIR.iterdir() if folder.is_dir()}
    assert packages <= tops
    assert tops & (folders | {"local", "tests", "glue_scripts", "ops"}) == packages
    assert path.stat().st_size < LIMIT_MIB.get(name, LARGEST_MIB) * 2**20
    assert sum(entry.file_size for entry in entries) < UNZIPPED_LIMIT_MIB * 2**20


def test_two_builds_of_a_real_function_are_byte_identical(tmp_path: Path) -> None:
    first, second = (build_zip("persist", build_dir=tmp_path / build) for build in ("one", "two"))

    assert first.read_bytes() == second.read_bytes()
