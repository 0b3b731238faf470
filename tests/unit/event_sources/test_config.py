from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from local.event_sources.config import MappingConfig, MappingConfigError, read_config, write_config

CONFIG = MappingConfig(
    function="score",
    bootstrap_servers="127.0.0.1:9092",
    aws_endpoint="http://127.0.0.1:4566",
    region="us-east-1",
    account_id="000000000000",
    environment={"HISTORY_TABLE": "transaction_history"},
    dead_letter_queue_url="http://127.0.0.1:4566/queue",
    state_dir=Path("run"),
    log_dir=Path("logs"),
    zip=Path("score.zip"),
    lambda_python=Path("bin/python"),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_config(tmp_path / "score.json", CONFIG)

    assert read_config(tmp_path / "score.json") == CONFIG


@pytest.mark.parametrize(("field", "value"), [("state_dir", 5), ("max_workers", 0), ("region", None)])
def test_a_field_that_cannot_be_used_is_named_with_its_file(
    tmp_path: Path, field: str, value: object
) -> None:
    file = tmp_path / "score.json"
    write_config(file, CONFIG)
    file.write_bytes(msgspec.json.encode(msgspec.json.decode(file.read_bytes()) | {field: value}))

    with pytest.raises(MappingConfigError, match=rf"score\.json: .*\$\.{field}"):
        read_config(file)
