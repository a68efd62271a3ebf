"""The time limit of an exercise: it stops endless code, and leaves nothing behind in code that ends."""

import subprocess
import sys

import pytest

from acai.teaching.exercises.time_limit import OutOfTime, time_limit

JUST_IN_TIME = """
import sys, time
from acai.teaching.exercises.time_limit import OutOfTime, time_limit

def work(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass

if "traced" in sys.argv:
    sys.settrace(lambda frame, event, argument: None)
late = 0
for n in range(150):
    try:
        with time_limit(0.001):
            work(0.0008 + n * 1e-4)  # less and more than it may: Python switches threads every 5 ms
    except OutOfTime:
        late += 1
    work(0.0003)  # OutOfTime would arrive here, and end this process with a traceback
print("late:", 0 < late)
"""


@pytest.mark.parametrize("mode", ["traced", "plain"])
def test_code_that_ends_just_in_time_is_left_alone_also_under_a_debugger(mode):
    # CPython up to 3.12, when traced, never returns from a withdrawn asynchronous exception: hence another process
    ended = subprocess.run([sys.executable, "-c", JUST_IN_TIME, mode], capture_output=True, text=True, timeout=120)
    assert (ended.stdout, ended.stderr) == ("late: True\n", "")


def test_endless_code_is_stopped_even_if_it_catches_what_stops_it():
    caught = 0
    with pytest.raises(OutOfTime), time_limit(0.05):
        while True:
            try:
                while True:
                    pass
            except OutOfTime:
                caught += 1
                if caught == 2:
                    raise
    assert caught == 2
