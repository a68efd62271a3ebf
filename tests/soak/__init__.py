"""The soak: acai under kills, interrupts, full disks, damaged and hostile files, odd settings, threads and forks.

    python -m tests.soak [--minutes 10] [--seed 0] [--only DRIVER [--case N]]

It runs until its time is over and ends with a table; the exit code is 0 only if every count of faults is 0.
It is not part of `pytest`; `tests/test_soak.py` checks that each driver would notice a fault.
"""
