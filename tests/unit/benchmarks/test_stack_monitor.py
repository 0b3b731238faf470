from __future__ import annotations

import os
import subprocess
import sys

import psutil

from benchmarks.stack_monitor import Usage, cores_used, count_alerts, count_ended


def test_a_missing_alert_is_counted_although_another_arrived_twice() -> None:
    count = count_alerts(["a", "b", "c"], ["a", "b", "b"])

    assert not count.complete
    assert str(count) == "3 alerts were due and 3 arrived; missing: 1, repeated or not due: 1"


def test_alerts_are_complete_only_if_each_arrived_once() -> None:
    assert not count_alerts(["a", "b"], ["a", "b", "b"]).complete
    assert count_alerts(["a", "b"], ["b", "a"]).complete


def test_cores_are_listed_by_use_for_processes_in_both_samples() -> None:
    before = {"score": Usage(1.0, 0), "valkey": Usage(5.0, 0), "gone": Usage(1.0, 0)}
    after = {"score": Usage(6.0, 0), "valkey": Usage(6.0, 0), "new": Usage(9.0, 0)}

    assert list(cores_used(before, after, 10.0).items()) == [("score", 0.5), ("valkey", 0.1)]


def test_ended_workers_are_counted_as_zombies_too() -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    running, zombie, gone = workers = [psutil.Process(child.pid) for child in children]
    names = {running: "score", zombie: "score", gone: "alert"}

    try:
        for child in children[1:]:
            child.kill()
        children[2].wait()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # leaves it a zombie

        assert count_ended(names) == {"score": 1, "alert": 1}
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert count_ended(dict.fromkeys(workers, "score")) == {"score": 3}
