import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Commands

pytestmark = pytest.mark.end_to_end


def job_records(bpmnd: Commands, key: int, intent: str) -> list[dict[str, Any]]:
    return [
        record["value"]
        for record in bpmnd.history(key)
        if record["valueType"] == "JOB" and record["intent"] == intent
    ]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.01)


def test_a_program_gets_the_job_and_completes_it_with_variables(bpmnd: Commands) -> None:
    bpmnd.deploy("completes")
    key = bpmnd.start("completes", '{"n": [\n0.10]}')
    seen = bpmnd.directory / "seen"

    said = bpmnd.work("completes", f"cat > {seen}; echo '{{\"m\": 7}}'", "--name", "alice")

    assert said.status == 0
    text = seen.read_text()
    assert text.count("\n") == 1
    assert '"n":[ 0.10]' in text
    job = json.loads(text)
    assert (job["type"], job["worker"], job["processInstanceKey"]) == ("completes", "alice", str(key))
    assert bpmnd.ways(key) == ["start", "task", "done", "completes"]
    names = [record["value"]["name"] for record in bpmnd.history(key) if record["valueType"] == "VARIABLE"]
    assert names == ["n", "m"]


def test_a_program_may_print_nothing_and_read_nothing(bpmnd: Commands) -> None:
    bpmnd.deploy("silent")
    key = bpmnd.start("silent", json.dumps({"much": "x" * 1_000_000}))

    assert bpmnd.work("silent", "exec <&-; true").status == 0

    assert bpmnd.ways(key)[-1] == "silent"


def test_another_exit_status_fails_the_job_with_what_was_said_and_a_retry_less(bpmnd: Commands) -> None:
    bpmnd.deploy("fails")
    key = bpmnd.start("fails")

    said = bpmnd.work("fails", "echo one >&2; echo two >&2; exit 9")
    bpmnd.work("fails", "kill -TERM $$")

    assert "one\ntwo\n" in said.err
    failures = job_records(bpmnd, key, "FAILED")
    assert [(failure["retries"], failure["errorMessage"]) for failure in failures] == [
        (1, "one\ntwo"),
        (0, "killed by SIGTERM"),
    ]


def test_status_3_throws_a_bpmn_error(bpmnd: Commands) -> None:
    bpmnd.deploy("throws")
    key = bpmnd.start("throws")

    error = {"errorCode": "BROKEN", "errorMessage": "in two", "variables": {"parts": 2}}
    bpmnd.work("throws", f"echo '{json.dumps(error)}'; exit 3")

    thrown = job_records(bpmnd, key, "ERROR_THROWN")
    assert [(value["errorCode"], value["errorMessage"]) for value in thrown] == [("BROKEN", "in two")]
    assert "broken-off" in bpmnd.ways(key)


def test_what_is_not_the_json_expected_fails_the_job(bpmnd: Commands) -> None:
    bpmnd.deploy("babbles")
    for script in ("echo done", "echo '[1]'", "echo '{\"a\": 1}{}'", "exit 3", "echo '{}'; exit 3"):
        key = bpmnd.start("babbles")
        bpmnd.work("babbles", script)
        (failure,) = job_records(bpmnd, key, "FAILED")
        assert "what it printed is not as expected" in failure["errorMessage"], script
        assert bpmnd.work("babbles", "true").status == 0


def test_what_a_program_prints_is_bounded(bpmnd: Commands) -> None:
    bpmnd.deploy("floods")
    key = bpmnd.start("floods")

    bpmnd.work("floods", "yes")

    (failure,) = job_records(bpmnd, key, "FAILED")
    assert failure["errorMessage"] == "printed more than 4194304 bytes and was killed"


def test_the_message_is_the_end_of_what_was_said(bpmnd: Commands) -> None:
    bpmnd.deploy("talks")
    key = bpmnd.start("talks")

    bpmnd.work("talks", "yes | head -c 100000 >&2; echo the end >&2; exit 1")

    (failure,) = job_records(bpmnd, key, "FAILED")
    assert len(failure["errorMessage"]) <= 2000
    assert failure["errorMessage"].endswith("the end")


def test_a_program_that_takes_too_long_is_killed_with_its_children(bpmnd: Commands) -> None:
    bpmnd.deploy("sleeps")
    key = bpmnd.start("sleeps")

    said = bpmnd.work("sleeps", "sleep 60 & sleep 60", "--timeout", "0.3")
    bpmnd.work("sleeps", "true")

    assert "took longer than 0.3 s and was killed" in said.err
    assert len(job_records(bpmnd, key, "TIMED_OUT")) == 1
    assert bpmnd.ways(key)[-1] == "sleeps"


def test_no_shell_reads_the_arguments(bpmnd: Commands) -> None:
    bpmnd.deploy("literal")
    bpmnd.start("literal")
    script = "import sys, json; print(json.dumps({'arguments': sys.argv[1:]}))"

    arguments = ("--", sys.executable, "-c", script, "$HOME; exit 1", "--once", "*")
    said = bpmnd.ask("work", "--once", "literal", *arguments)

    assert said.err.endswith(": completed\n")


def test_a_program_that_is_not_there_is_wrong_usage(bpmnd: Commands) -> None:
    said = bpmnd.ask("work", "any", "--", "no-such-program")
    assert (said.status, said.err) == (2, "bpmnd: there is no program 'no-such-program'\n")


def test_jobs_run_at_the_same_time_up_to_the_concurrency(bpmnd: Commands) -> None:
    bpmnd.deploy("together")
    keys = [bpmnd.start("together") for _ in range(3)]
    meet = bpmnd.directory

    script = f"touch {meet}/$$; until [ $(ls {meet} | grep -c '^[0-9]*$') = 3 ]; do sleep 0.01; done"
    bpmnd.ask("work", "--max-jobs", "3", "--concurrency", "3", "together", "--", "sh", "-c", script)

    assert all(bpmnd.ways(key)[-1] == "together" for key in keys)


def test_sigterm_lets_the_running_job_end(bpmnd: Commands) -> None:
    bpmnd.deploy("ends")
    key = bpmnd.start("ends")
    begun, go_on = bpmnd.directory / "begun", bpmnd.directory / "go-on"
    script = f"touch {begun}; until [ -e {go_on} ]; do sleep 0.01; done"
    command = (sys.executable, "-m", "bpmnd", "work", "--address", bpmnd.node.address, "ends")

    with subprocess.Popen((*command, "--", "sh", "-c", script), stderr=subprocess.PIPE) as worker:
        wait_for(begun)
        worker.send_signal(signal.SIGTERM)
        go_on.touch()
        worker.communicate(timeout=10)

    assert worker.returncode == 0
    assert bpmnd.ways(key)[-1] == "ends"


def test_a_second_sigterm_kills_the_running_job(bpmnd: Commands) -> None:
    bpmnd.deploy("killed")
    key = bpmnd.start("killed")
    begun = bpmnd.directory / "begun"
    command = (sys.executable, "-m", "bpmnd", "work", "--address", bpmnd.node.address, "--timeout", "60")
    script = f"touch {begun}; sleep 60"

    with subprocess.Popen((*command, "killed", "--", "sh", "-c", script), stderr=subprocess.PIPE) as worker:
        wait_for(begun)
        worker.send_signal(signal.SIGTERM)
        assert worker.stderr is not None
        assert b"stopping after 1 running jobs" in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=10)

    assert worker.returncode == 0
    assert bpmnd.ways(key) == ["start"]


def test_children_that_outlive_the_program_are_killed_when_time_is_over(bpmnd: Commands) -> None:
    bpmnd.deploy("leaves")
    bpmnd.start("leaves")
    child = bpmnd.directory / "child"

    said = bpmnd.work("leaves", f"sleep 60 & echo $! > {child}", "--timeout", "0.3")

    assert "took longer than 0.3 s" in said.err
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child.read_text().strip()}/root").exists():  # Gone, or dead and not yet reaped.
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_outlives_the_node_and_still_delivers(bpmnd: Commands) -> None:
    bpmnd.deploy("delivers")
    key = bpmnd.start("delivers")
    begun, go_on = bpmnd.directory / "begun", bpmnd.directory / "go-on"
    script = f"touch {begun}; until [ -e {go_on} ]; do sleep 0.01; done"
    command = (sys.executable, "-m", "bpmnd", "work", "--once", "--address", bpmnd.node.address, "delivers")

    with subprocess.Popen((*command, "--", "sh", "-c", script), stderr=subprocess.PIPE) as worker:
        wait_for(begun)
        bpmnd.node.kill()
        go_on.touch()
        bpmnd.node.restart()
        worker.communicate(timeout=20)

    assert worker.returncode == 0
    assert bpmnd.ways(key)[-1] == "delivers"
    assert len(job_records(bpmnd, key, "COMPLETED")) == 1
