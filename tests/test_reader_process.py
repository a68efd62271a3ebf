"""The second process of `acai read`: what it says is what the first would say, errors are reported, and nothing of it remains.

`test_reader.py` compares the complete pages.
"""

import json
import os
import subprocess
import sys

import pytest

from acai.reader import planted, second_process
from acai.teaching import bugs


@pytest.fixture
def started(monkeypatch):
    """The processes that a test starts, on a machine with two cores."""
    found = []
    start = subprocess.Popen
    monkeypatch.setattr(second_process, "has_second_core", lambda: True)
    monkeypatch.setattr(subprocess, "Popen", lambda *words, **options: found.append(start(*words, **options)) or found[-1])
    return found


def replace_by(code: str, monkeypatch) -> None:
    """Let the second process run something else."""
    monkeypatch.setattr(second_process, "COMMAND", [sys.executable, "-c", code])


def test_it_prints_what_the_first_process_would_say(monkeypatch, capsys):
    few = [bugs.find("Linear: dW, transposed"), bugs.find("ReLU: no mask")]
    monkeypatch.setattr(bugs, "CATALOGUE", few)
    second_process.main()
    assert json.loads(capsys.readouterr().out) == {bug.name: planted.verdict(bug) for bug in few}


def test_its_answers_are_waited_for_once(monkeypatch, started):
    first, second, *_ = bugs.CATALOGUE
    replace_by(f"print({json.dumps({first.name: 'wrong', second.name: ''})!r})", monkeypatch)
    with second_process.second_process() as check:
        assert [check(first), check(second), check(first)] == ["wrong", "", "wrong"]
    assert [process.returncode for process in started] == [0]


def test_a_check_that_fails_is_reported_with_its_reason(monkeypatch, started):
    replace_by("raise ValueError('no gradient for Conv')", monkeypatch)
    wanted = r"(?s)the process that checks the planted bugs ended with 1: Traceback.*ValueError: no gradient for Conv"
    with pytest.raises(RuntimeError, match=wanted), second_process.second_process() as check:
        check(bugs.CATALOGUE[0])


def test_a_process_that_somebody_ended_is_reported_too(monkeypatch, started):
    replace_by("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", monkeypatch)
    with pytest.raises(RuntimeError, match="ended with -9: it reported nothing"), second_process.second_process() as check:
        check(bugs.CATALOGUE[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_it_is_over_when_the_first_process_gives_up(monkeypatch, started, error):
    replace_by("import time; time.sleep(600)", monkeypatch)
    with pytest.raises(error), second_process.second_process():
        raise error
    assert len(started) == 1 and started[0].returncode and started[0].stdout.closed


def test_ctrl_c_in_the_terminal_reaches_only_the_first_process(monkeypatch, started):
    name = bugs.CATALOGUE[0].name
    replace_by(f"import json, os; print(json.dumps({{{name!r}: os.getsid(0)}}))", monkeypatch)
    with second_process.second_process() as check:
        assert check(bugs.CATALOGUE[0]) == started[0].pid != os.getsid(0)


def test_a_machine_with_one_core_starts_none(monkeypatch, started):
    monkeypatch.setattr(second_process, "has_second_core", lambda: False)
    with second_process.second_process() as check:
        assert check is None and started == []


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3}, raising=False)
    assert not second_process.has_second_core()
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert second_process.has_second_core()
