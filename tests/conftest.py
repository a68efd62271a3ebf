"""What all tests share: hypothesis's profile, and where the real data sets are."""

import os
import signal
from pathlib import Path

import hypothesis
import matplotlib
import pytest

matplotlib.use("Agg")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start what runs in the background; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: the first call of a kernel compiles it. Derandomised, so that a red run can be repeated.
hypothesis.settings.register_profile("acai", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("acai")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what takes long, unless it is asked for: `pytest -m zoo`, `pytest -m classroom`."""
    for marker, long in ("zoo", "an hour"), ("classroom", "minutes"):
        if marker not in config.getoption("markexpr"):
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=f"takes {long}: run it with -m {marker}"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, which may not be shipped with the project."""
    folder = os.environ.get("ACAI_DATA")
    if not folder:
        pytest.skip("needs real data sets that may not be redistributed: set ACAI_DATA to a folder that holds them")
    return Path(folder)
