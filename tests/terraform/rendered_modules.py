"""What is rendered: the modules `function`, `http`, `sign_in`, `ingestion`, `history_export`, `backtest`, `training`, `audit` and
`observability`, and what each of them is given.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ops.manifests import FUNCTIONS_DIR, ROOT, read_functions, read_tables

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
NAME: Final = "fraud-test"
"""Prefix of every name."""

NAMESPACE: Final = "FraudDetection/test"

TARGET_ARNS: Final = {
    "table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}",
    "queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
    "bucket": "arn:aws:s3:::{name}",
    "topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{name}}",
    "rules": f"arn:aws:appconfig:{REGION}:{ACCOUNT}:application/a/environment/e/configuration/{{name}}",
    "key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{name}}",
    "function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}:live",
    "metrics": "*",
    "own_queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:mocked",
    "own_bucket": "arn:aws:s3:::mocked",
}
"""ARN of a target of each kind; in these tests its name in AWS is its interface name. The module `function` makes dead letters' own
queue and bucket, which the mocked provider names."""

CLUSTER_ARN: Final = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/fraud-test/0001-1"

NOTIFIED: Final = {
    severity: f"arn:aws:sns:{REGION}:{ACCOUNT}:fraud-test-{severity}" for severity in ("page", "ticket")
}
"""ARN of the topic that alarms of a severity notify."""

UNPROTECTED: Final = {"name": "fraud-open", "enable_deletion_protection": False}
"""What another rendering of `ingestion` is given."""

BROKERS: Final = 3
CACHE_NODES: Final = ("fraud-test-001", "fraud-test-002")

REFERENCES: Final = (
    *(f"table.{name}" for name in read_tables()),
    *(f"function.{name}" for name in read_functions()),
    *(f"index.{name}.{index}" for name, table in read_tables().items() for index in table.indexes),
    "queue.canary",
    "queue.labels",
    "queue.quarantine",
    "audit_heads.lock_mode",
    "audit_heads.retention_days",
    "bucket.audit_heads",
    "bucket.landing",
    "bucket.quarantine",
    "bucket.rules",
    "topic.fraud_alerts",
    "console.url",
    "identity.issuer",
    "identity.discovery_url",
    "identity.client_id",
    "cache.endpoint",
    "cache.replication_group",
    "key.tokenization",
    "rules.application",
    "rules.environment",
    "rules.profile",
    "rules.at_once_strategy",
    "rules.gradual_strategy",
    "kafka.bootstrap_servers",
    "kafka.security_protocol",
    "metrics.namespace",
)


def target_arn(kind: str, name: str) -> str:
    """The ARN of a target that the rendered modules got as input."""
    return TARGET_ARNS[kind].format(name=name)


def root_module(functions: list[str], build: Path) -> dict[str, Any]:
    """A root module that calls the modules, in Terraform's JSON.

    Parameters
    ----------
    functions : list[str]
        For each of them the module `function` is rendered.
    build : Path
        Folder with `zips` of the functions and with `glue`, as `make packages` builds it.
    """
    topics = {"transaction_stream": "transaction_stream"}
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}},
        "module": {
            "functions": _functions_module(functions, build / "zips", topics),
            "ingestion": _ingestion_module(build / "glue"),
            "unprotected": _ingestion_module(build / "glue") | UNPROTECTED,
            "history_export": _history_export_module(),
            "backtest": _backtest_module(build / "glue"),
            "training": _training_module(),
            "audit": _audit_module(),
            "http": _http_module(),
            "sign_in": {
                "source": "./modules/sign_in",
                "name": f"{NAME}-console",
                "console_url": "${module.http.url}",
            },
            "observability": _observability_module(topics),
        },
    }


def _functions_module(functions: list[str], zips: Path, topics: dict[str, str]) -> dict[str, Any]:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
    return {
        "source": "./modules/function",
        "for_each": f"${{toset({json.dumps(functions)})}}",
        "name": NAME,
        "function": "${each.key}",
        "functions_dir": str(FUNCTIONS_DIR),
        "build_dir": str(zips),
        "references": {reference: reference for reference in REFERENCES} | {"topic.retention": "604800"},
        "targets": _targets(topics),
        "created_kafka_topics": topics,
        "vpc": {
            "subnet_ids": ["subnet-1", "subnet-2"],
            "security_group_ids": {"functions": "sg-1", "cache": "sg-2", "kafka": "sg-3"},
        },
        "key_arns": {"data": f"{key}data", "alerts": f"{key}alerts", "logs": f"{key}logs"},
        "access_log_bucket": "fraud-test-access-log",
        "log_retention_days": 30,
    }


def _ingestion_module(build: Path) -> dict[str, Any]:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
    return {
        "source": "./modules/ingestion",
        "name": NAME,
        "scripts_dir": str(ROOT / "glue_scripts"),
        "build_dir": str(build),
        "metrics_namespace": NAMESPACE,
        "subnet_id_by_zone": {f"{REGION}a": "subnet-1"},
        "security_group_id": "sg-4",
        "labels_queue": {
            "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/labels",
            "arn": target_arn("queue", "labels"),
        },
        "data_key_arn": f"{key}data",
        "logs_key_arn": f"{key}logs",
        "log_retention_days": 30,
        "enable_deletion_protection": True,
        "kafka": {
            "bootstrap_servers": "b-1.test:9098",
            "cluster_arn": CLUSTER_ARN,
            "topic": "transaction_stream",
            "topic_arn": "arn:aws:kafka:us-east-1:123456789012:topic/fraud-test/0001-1/transaction_stream",
        },
    }


def _history_export_module() -> dict[str, Any]:
    name = "transaction_history"
    return {
        "source": "./modules/history_export",
        "name": NAME,
        "table": {"name": name, "arn": target_arn("table", name)},
        "retention_days": int(str(read_functions()["score"].environment["HISTORY_RETENTION_DAYS"])),
        "access_log_bucket": "fraud-test-access-log",
        "data_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/data",
        "enable_deletion_protection": True,
    }


def _backtest_module(build: Path) -> dict[str, Any]:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
    return {
        "source": "./modules/backtest",
        "name": NAME,
        "scripts_dir": str(ROOT / "glue_scripts"),
        "build_dir": str(build),
        "table_arns": {name: target_arn("table", name) for name in ("labels", "transaction_history")},
        "maximum_workers": 10,
        "access_log_bucket": "fraud-test-access-log",
        "data_key_arn": f"{key}data",
        "logs_key_arn": f"{key}logs",
        "log_retention_days": 30,
        "enable_deletion_protection": True,
    }


def _training_module() -> dict[str, Any]:
    return {
        "source": "./modules/training",
        "name": NAME,
        "trainer_arns": [f"arn:aws:iam::{ACCOUNT}:role/data-scientists"],
        "table_arns": {name: target_arn("table", name) for name in ("labels", "transaction_history")},
        "rules_bucket": {"name": "rules", "arn": target_arn("bucket", "rules")},
        "instance_type": "ml.m5.xlarge",
        "volume_gib": 50,
        "maximum_hours": 12,
        "vpc_arn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-1",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "security_group_id": "sg-1",
        "access_log_bucket": "fraud-test-access-log",
        "data_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/data",
        "enable_deletion_protection": True,
    }


def _audit_module() -> dict[str, Any]:
    return {
        "source": "./modules/audit",
        "name": NAME,
        "bucket_arns": [target_arn("bucket", "quarantine")],
        "audit_heads_bucket_arn": target_arn("bucket", "audit_heads"),
        "table_arns": [target_arn("table", name) for name in read_tables()],
        "reading_roles": ["fraud-test-score"],
        "opening_roles": ["fraud-test-apply"],
        "metrics_namespace": NAMESPACE,
        "logs_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logs",
        "log_retention_days": 30,
        "enable_deletion_protection": True,
    }


def _http_module() -> dict[str, Any]:
    of_console = {
        name: f'${{module.functions["console"].{name}}}'
        for name in ("function_name", "alias_name", "alias_arn")
    }
    return {
        "source": "./modules/http",
        "name": f"{NAME}-console",
        "function": of_console,
        "access": {"endpoint_type": "PRIVATE", "allowed_cidrs": ["10.50.0.0/16"]},
        "vpc": {"id": "vpc-1", "subnet_ids": ["subnet-1", "subnet-2"]},
        "metrics_namespace": NAMESPACE,
        "logs_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/logs",
        "log_retention_days": 30,
    }


def _targets(topics: dict[str, str]) -> dict[str, Any]:
    tables = {
        name: {"arn": target_arn("table", name), "stream_arn": f"{target_arn('table', name)}/stream/1"}
        for name in read_tables()
    }
    return {
        "tables": tables,
        "queues": {
            name: {"arn": target_arn("queue", name), "url": f"https://sqs/{name}"}
            for name in ("canary", "labels", "quarantine")
        },
        "buckets": {
            name: {"arn": target_arn("bucket", name)}
            for name in ("audit_heads", "landing", "quarantine", "rules")
        },
        "topics": {"fraud_alerts": {"arn": target_arn("topic", "fraud_alerts")}},
        "cache": {
            "replication_group_arn": f"arn:aws:elasticache:{REGION}:{ACCOUNT}:replicationgroup:p",
            "user_arn": f"arn:aws:elasticache:{REGION}:{ACCOUNT}:user:u",
        },
        "rules": {
            "configuration_arn": target_arn("rules", "ruleset"),
            "deployment_arns": [target_arn("rules", "deployments")],
        },
        "kafka": {"cluster_arn": CLUSTER_ARN, "topic_names": topics},
        "functions": {name: {"arn": target_arn("function", name)} for name in read_functions()},
        "keys": {"tokenization": {"arn": target_arn("key", "tokenization")}},
    }


def _observability_module(topics: dict[str, str]) -> dict[str, Any]:
    def by_function(attribute: str) -> str:
        value = f"function.{attribute}"
        return f"${{{{ for key, function in module.functions : key => {value} if {value} != null }}}}"

    return {
        "source": "./modules/observability",
        "name": NAME,
        "metrics_namespace": NAMESPACE,
        "functions_dir": str(FUNCTIONS_DIR),
        "function_names": by_function("function_name"),
        "dead_letter_queue_names": by_function("dead_letter_queue_name"),
        "quarantine_queue_name": "fraud-test-quarantine",
        "queue_names": {"labels": "fraud-test-labels"},
        "table_names": {name: f"fraud-test-{name}" for name in read_tables()},
        "kafka": {"cluster_name": "fraud-test", "topic_names": topics, "broker_count": BROKERS},
        "cache_node_ids": list(CACHE_NODES),
        "alert_topic_name": "fraud-test-alerts",
        "glue_job_name": "${module.ingestion.job_name}",
        "keep_running_arn": "${module.ingestion.keep_running_arn}",
        "history_export_arn": "${module.history_export.state_machine_arn}",
        "audit_metric_names": "${module.audit.metric_names}",
        "threat_rule_name": "fraud-test-malware-found",
        "console": {name: f"${{module.http.{name}}}" for name in ("api_name", "stage_name", "metric_names")},
        "notification_topic_arns": {severity: [arn] for severity, arn in NOTIFIED.items()},
    }
