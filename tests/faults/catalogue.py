"""Every fault of the matrix, grouped by the part that it breaks."""

from __future__ import annotations

from functools import partial

from digest.stage import WORKERS
from local.faults.aws_answers import half_unprocessed, internal_error, slow, throttled, written_but_unheard

from .aws import (
    always,
    bad_calls,
    bad_everywhere,
    bad_ruleset,
    checkpoints_throttled,
    down_for_an_hour,
    no_rules_at_start,
    other_ruleset,
    rules_unavailable,
    shows_both_rulesets,
    sns_down,
    sns_refuses_digests,
)
from .cache import (
    cache_and_checkpoints_down,
    cache_and_some_checkpoints_down,
    cache_down,
    cache_out_of_memory,
    cache_slow,
    empty_cache,
    fail_over,
    late_write,
    pause_cache,
    restart_cache,
)
from .crashes import poison_payment, poison_row
from .dead_letters import outlast_stream
from .fault import EVERY_ALERT, IS_LONG, RECORDS_A_PART, Degrades, Fault, nothing
from .host import fill_disk, shows_step, step_clock
from .ingestion import kill_glue_job
from .kafka import (
    again,
    more_partitions,
    move_consumer,
    redeliver_committed,
    restart_broker,
    twice,
    two_pollers,
)
from .kills import (
    kill_amid_inserts,
    kill_at_cache_write,
    kill_at_call,
    kill_digest,
    outlive_time_out,
    two_digests,
)
from .label_files import by_job_that_is_killed
from .labels import (
    cache_down_for_labels,
    cache_emptied_after_labels,
    kill_label,
    label_times_out,
    two_label_stages,
)
from .lost_records import stream_lost
from .rulesets import begins, ends, kill_deployer, starts, two_deployers
from .site import CASE, LABEL

MINUTE = 60.0 if IS_LONG else 3.0
TEN_SECONDS = 10.0 if IS_LONG else 3.0
HOUR = 60.0 if IS_LONG else 20.0
"""A retry of the score stage takes a minute of an outage; here it takes a second. Twenty are twice as many as Lambda's default."""

PROFILES, ENTITIES = b"progress:{1}:", b"entities:{1}:"
"""In the keys of the score stage's two scripts in the cache."""

KILLED = (
    Fault("score killed after read", partial(kill_at_call, "score", "BatchExecuteStatement", after=False)),
    Fault("score killed after some inserts", kill_amid_inserts, load_factor=3),
    Fault("score killed after all inserts", partial(kill_at_cache_write, ENTITIES, passes=0.0)),
    Fault("score killed amid the entities' addition", partial(kill_at_cache_write, ENTITIES, passes=0.5)),
    Fault(
        "score killed after the entities' addition",
        partial(kill_at_cache_write, ENTITIES, passes=1.0, after=True),
    ),
    Fault("score killed amid the profiles' write", partial(kill_at_cache_write, PROFILES, passes=0.5)),
    Fault("score killed before the answer", partial(kill_at_cache_write, PROFILES, passes=1.0, after=True)),
    Fault("persist killed before a write", partial(kill_at_call, "persist", "PutItem", after=False)),
    Fault("persist killed after a write", partial(kill_at_call, "persist", "PutItem", after=True)),
    Fault("alert killed before a claim", partial(kill_at_call, "alert", "TransactWriteItems", after=False)),
    Fault("alert killed after a claim", partial(kill_at_call, "alert", "TransactWriteItems", after=True)),
    Fault(
        "alert killed after publishing",
        partial(kill_at_call, "alert", "Publish", after=True),
        repeats_at_most=1,
    ),
    Fault(
        "alert killed before marking",
        partial(kill_at_call, "alert", "UpdateItem", after=False),
        repeats_at_most=1,
    ),
    Fault(
        "digest killed before a claim",
        partial(kill_digest, "PutItem", after=False),
        needs_quiet=True,
        repeats_at_most=WORKERS,
    ),
    Fault(
        "digest killed after a claim",
        partial(kill_digest, "PutItem", after=True),
        needs_quiet=True,
        repeats_at_most=WORKERS,
    ),
    Fault(
        "digest killed after publishing",
        partial(kill_digest, "Publish", after=True),
        needs_quiet=True,
        repeats_at_most=WORKERS,
    ),
    Fault("two digest functions at once", two_digests, needs_quiet=True, repeats_at_most=EVERY_ALERT),
)

CRASHING = (
    Fault("a payment kills score at every try", poison_payment),
    Fault("a row kills persist at every try", partial(poison_row, "persist", "PutItem")),
    Fault("a row kills alert at every try", partial(poison_row, "alert", "TransactWriteItems")),
)

LOST = (
    Fault("the history's stream loses 25 hours, and the reconciler", partial(stream_lost, "persist")),
    Fault("flagged payments' stream loses 25 hours, and the reconciler", partial(stream_lost, "alert")),
)

STILL_RUNNING = (
    Fault(
        "score timed out and still running",
        partial(
            outlive_time_out, "score", [("BatchExecuteStatement", False), ("BatchExecuteStatement", True)]
        ),
        lasts_seconds=2.0,
    ),
    Fault(
        "persist timed out and still running",
        partial(outlive_time_out, "persist", [("PutItem", False), ("PutItem", True)]),
    ),
    Fault(
        "alert timed out and still running",
        partial(
            outlive_time_out,
            "alert",
            [
                ("TransactWriteItems", False),
                ("TransactWriteItems", True),
                ("Publish", False),
                ("Publish", True),
                ("UpdateItem", False),
            ],
        ),
        repeats_at_most=EVERY_ALERT,
    ),
)

KAFKA = (
    Fault("two pollers on the topic", two_pollers),
    Fault("the consumer moves", move_consumer),
    Fault("committed batches delivered again", redeliver_committed),
    Fault("Kafka restarts", restart_broker),
    Fault("Kafka gets a partition more", more_partitions, needs_quiet=True),
)

CACHE = (
    Fault("Valkey restarts empty", restart_cache, degrades=Degrades.MAY),
    Fault("Valkey paused", pause_cache, degrades=Degrades.MUST, lasts_seconds=TEN_SECONDS),
    Fault("Valkey out of memory", cache_out_of_memory),
    Fault("Valkey slow by 200 ms", cache_slow, degrades=Degrades.MAY),
    Fault("a profiles' write arrives late", partial(late_write, PROFILES)),
    Fault("an entities' addition arrives late", partial(late_write, ENTITIES)),
    Fault("Valkey unreachable", cache_down, degrades=Degrades.MUST, load_factor=4, lasts_seconds=3.0),
    Fault("Valkey emptied under full load", empty_cache, load_factor=12, lasts_seconds=TEN_SECONDS),
    Fault(
        "Valkey unreachable while most calls to the checkpoints are throttled",
        cache_and_some_checkpoints_down,
        degrades=Degrades.MUST,
        load_factor=4,
        lasts_seconds=3.0,
    ),
    Fault(
        "Valkey unreachable while the checkpoints are throttled",
        cache_and_checkpoints_down,
        degrades=Degrades.MUST,
        load_factor=4,
        lasts_seconds=TEN_SECONDS,
    ),
    Fault("Valkey fails over to an older replica", fail_over, degrades=Degrades.MAY),
)

DYNAMODB = (
    Fault(
        "DynamoDB throttles 30%",
        partial(bad_everywhere, always(throttled)),
        lasts_seconds=60.0 if IS_LONG else 0.0,
    ),
    Fault("DynamoDB answers 500", partial(bad_everywhere, always(internal_error))),
    Fault(
        "DynamoDB times out after writing",
        partial(bad_everywhere, written_but_unheard),
        repeats_at_most=2,
    ),
    Fault(
        "DynamoDB down for an hour of retries at 100 payments a second",
        down_for_an_hour,
        load_factor=round(HOUR * 100 / RECORDS_A_PART),
        lasts_seconds=HOUR,
    ),
    Fault(
        "DynamoDB throttles the checkpoints", checkpoints_throttled, load_factor=6, lasts_seconds=TEN_SECONDS
    ),
    Fault("DynamoDB leaves items unprocessed", partial(bad_calls, half_unprocessed, share=0.7)),
    Fault("history's stream delivered twice", partial(twice, "persist")),
    Fault("history's stream delivered again later", partial(again, "persist")),
    Fault("flagged payments' stream delivered again later", partial(again, "alert")),
    Fault("flagged payments' stream delivered twice", partial(twice, "alert"), repeats_at_most=EVERY_ALERT),
)

SNS = (
    Fault("SNS down", sns_down, lasts_seconds=MINUTE),
    Fault("SNS down for longer than a stream keeps records, and a redrive", outlast_stream),
    Fault(
        "SNS slow", partial(bad_calls, partial(slow, seconds=0.5), function="alert", service="sns", share=1.0)
    ),
    Fault("SNS refuses digests", sns_refuses_digests, needs_quiet=True),
    Fault("SNS throttles", partial(bad_calls, always(throttled), function="alert", service="sns", share=0.5)),
)

OTHERS = (
    Fault(
        "SQS down while quarantining",
        partial(bad_calls, always(internal_error), service="sqs", share=1.0),
        lasts_seconds=1.0,
    ),
    Fault("AppConfig down at a cold start", no_rules_at_start, lasts_seconds=1.0),
    Fault("AppConfig down later", rules_unavailable),
    Fault("a bad ruleset is delivered", bad_ruleset),
    Fault("another good ruleset is delivered", other_ruleset, needs_quiet=True, shows_in=shows_both_rulesets),
    Fault(
        "the clocks step one hour ahead",
        partial(step_clock, hours=1),
        shows_in=partial(shows_step, hours=1),
    ),
    Fault(
        "the clocks step one hour back",
        partial(step_clock, hours=-1),
        shows_in=partial(shows_step, hours=-1),
    ),
    Fault("the disk is full", fill_disk, needs_quiet=True),
    Fault("the Glue job is killed between batch and checkpoint", kill_glue_job),
)

LABELS = (
    *(
        Fault(
            f"label killed {'after' if after else 'before'} {what}",
            partial(kill_label, operation, after=after),
            has_labels=True,
        )
        for operation, what in (
            ("PutItem", "a label is stored"),
            ("UpdateItem", "a status is set"),
            ("BatchWriteItem", "risk is set"),
        )
        for after in (False, True)
    ),
    Fault("label timed out and still running", label_times_out, has_labels=True),
    Fault("two label stages on the queue", two_label_stages, has_labels=True),
    Fault(
        "DynamoDB throttles half of the label stage's calls",
        partial(bad_calls, always(throttled), function=LABEL, share=0.5),
        has_labels=True,
    ),
    Fault(
        "DynamoDB times out after writing what a label changes",
        partial(bad_calls, written_but_unheard, function=LABEL, share=0.1),
        has_labels=True,
    ),
    Fault(
        "Valkey unreachable while labels come",
        cache_down_for_labels,
        degrades=Degrades.MAY,
        has_labels=True,
    ),
    Fault(
        "the Glue job is killed while it sends labels",
        nothing,
        has_labels=True,
        send_labels=by_job_that_is_killed,
    ),
    Fault("Valkey emptied after labels", cache_emptied_after_labels, has_labels=True, needs_quiet=True),
)

CASES = (
    Fault("the case stage's stream loses 25 hours, and the reconciler", partial(stream_lost, CASE)),
    Fault("case killed before its write", partial(kill_at_call, CASE, "TransactWriteItems", after=False)),
    Fault("case killed after its write", partial(kill_at_call, CASE, "TransactWriteItems", after=True)),
    Fault("flagged payments' stream delivered to the case stage twice", partial(twice, CASE)),
    Fault("flagged payments' stream delivered to the case stage again later", partial(again, CASE)),
    Fault(
        "DynamoDB throttles half of the case stage's calls",
        partial(bad_calls, always(throttled), function=CASE, share=0.5),
    ),
    Fault(
        "DynamoDB times out after writing a case",
        partial(bad_calls, written_but_unheard, function=CASE, share=0.1),
    ),
)

RULESETS = (
    *(
        Fault(
            f"ruleset_deployer killed {'after' if after else 'before'} {what}",
            partial(kill_deployer, is_it, after=after),
            needs_quiet=True,
            shows_in=shows_both_rulesets,
        )
        for is_it, what in (
            (begins, "the row says that a deployment starts"),
            (starts, "the deployment starts"),
            (ends, "the row says that it was deployed"),
        )
        for after in (False, True)
    ),
    Fault("two ruleset deployers at once", two_deployers, needs_quiet=True, shows_in=shows_both_rulesets),
)

FAULTS = (
    Fault("none", nothing, has_labels=True),
    *KILLED,
    *CRASHING,
    *LOST,
    *STILL_RUNNING,
    *KAFKA,
    *CACHE,
    *DYNAMODB,
    *SNS,
    *OTHERS,
    *LABELS,
    *CASES,
    *RULESETS,
)
