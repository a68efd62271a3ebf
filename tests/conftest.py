"""What all tests share: hypothesis's profile, and where the real data sets are."""

import os
from pathlib import Path

import hypothesis
import matplotlib
import pytest

matplotlib.use("Agg")

# No deadline: the first call of a kernel compiles it. Derandomised, so that a red run can be repeated.
hypothesis.settings.register_profile("acai", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("acai")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, which may not be shipped with the project."""
    folder = os.environ.get("ACAI_DATA")
    if not folder:
        pytest.skip("needs real data sets that may not be redistributed: set ACAI_DATA to a folder that holds them")
    return Path(folder)
