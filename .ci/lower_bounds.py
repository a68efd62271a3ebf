"""Print a constraints file for pip that pins each dependency to the lower bound that setup.cfg declares for it.

usage: python .ci/lower_bounds.py [EXTRA …] > constraints.txt

setup.cfg stays the only list: a bound that no longer installs, or with which a test fails, fails in CI.
"""

import configparser
import re
import sys
from pathlib import Path


def lower_bounds(setup_cfg: Path, extras: list[str]) -> list[str]:
    """`name==version` for each dependency, and for those of some extras."""
    config = configparser.ConfigParser()
    config.read(setup_cfg, encoding="utf-8")
    sections = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    pins = []
    for requirement in "\n".join(sections).split("\n"):
        if not requirement.strip():
            continue
        bound = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\w.]+)(?:,.*)?", requirement.strip())
        if bound is None:
            sys.exit(f"setup.cfg: {requirement.strip()!r}; expected NAME>=VERSION")
        pins.append(f"{bound[1]}=={bound[2]}")
    return sorted(set(pins))


if __name__ == "__main__":
    print(*lower_bounds(Path(__file__).resolve().parents[1] / "setup.cfg", sys.argv[1:]), sep="\n")
