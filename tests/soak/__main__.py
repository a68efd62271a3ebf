"""`python -m tests.soak`."""

import argparse
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from .drivers import DRIVERS
from .ledger import Driver, Fault, Tally, all_zero, table
from .worker import in_child, run

N_LANES = 2  # drivers that run side by side
SLICES = 2  # turns into which the time of a driver is cut, so that each of them has run early


def main() -> int:
    """Run the soak; 0 if nothing was found."""
    parser = argparse.ArgumentParser("python -m tests.soak", description=sys.modules[__package__].__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10), besides the preparation")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other faults (default: 0)")
    parser.add_argument("--only", nargs="+", choices=[driver.name for driver in DRIVERS], help="only these drivers")
    parser.add_argument("--case", type=int, help="with --only DRIVER: this case alone, as a failure was reported")
    given = parser.parse_args()
    drivers = [driver for driver in DRIVERS if not given.only or driver.name in given.only]
    if given.case is not None and len(drivers) != 1:
        parser.error("--case goes with --only and one driver")
    with tempfile.TemporaryDirectory(prefix="acai-soak-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"XDG_CACHE_HOME": f"{folder}/user", "MPLCONFIGDIR": f"{folder}/matplotlib", "MPLBACKEND": "Agg"}
        started = time.monotonic()
        prepare(drivers, Path(folder))
        print(f"prepared in {time.monotonic() - started:.0f} s", flush=True)
        if given.case is None:
            tallies = in_lanes(drivers, Path(folder), given.seed, 60 * given.minutes)
        else:
            place = room_of(drivers[0], Path(folder))
            tallies = {drivers[0].name: run(drivers[0], place, given.seed, 0, only=given.case, tell=teller(drivers[0], given.seed))}
    print("\n" + table(drivers, tallies))
    return 0 if all_zero(drivers, tallies) else 1


def room_of(driver: Driver, folder: Path) -> Path:
    """The folder that a driver shares among its cases, and perhaps with other drivers."""
    return folder / (driver.stock or driver.name)


def prepare(drivers: list[Driver], folder: Path) -> None:
    """Let every driver prepare what it works on."""
    for place, driver in {room_of(driver, folder): driver for driver in drivers}.items():
        place.mkdir()
        print(f"preparing {place.name} …", flush=True)
        in_child(lambda driver=driver, place=place: driver.prepare(place))


def teller(driver: Driver, seed: int, most: int = 5):
    """A function that prints each fault as it is found, and how to repeat it: the first few of each kind."""
    told: dict[str, int] = {}

    def tell(n: int, fault: Fault) -> None:
        told[fault.kind] = told.get(fault.kind, 0) + 1
        if told[fault.kind] <= most:
            repeat = f"python -m tests.soak --seed {seed} --only {driver.name} --case {n}"
            print(f"{fault.kind}: {driver.name}: {fault.words}\n    {repeat}", flush=True)
        elif told[fault.kind] == most + 1:
            print(f"{fault.kind}: {driver.name}: … (more are counted, not shown)", flush=True)

    return tell


def in_lanes(drivers: list[Driver], folder: Path, seed: int, seconds: float) -> dict[str, Tally]:
    """Share the time among the drivers, two of them at a time, each in several turns."""
    total = sum(driver.share for driver in drivers)
    lanes: list[list[Driver]] = [[] for _ in range(min(N_LANES, len(drivers)))]
    for driver in sorted(drivers, key=lambda driver: -driver.share):
        min(lanes, key=lambda lane: sum(other.share for other in lane)).append(driver)
    pipes, pids = [], []
    for lane in lanes:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                sums = in_turn(lane, folder, seed, seconds * len(lanes) / total)
                os.write(writing, "".join(tally.to_json() + "\n" for tally in sums).encode())
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        os.close(writing)
        pipes.append(reading)
        pids.append(pid)
    tallies = {driver.name: Tally(driver.name) for driver in drivers}
    for pipe, pid in zip(pipes, pids):
        with open(pipe) as lines:
            tallies |= {tally.driver: tally for tally in map(Tally.from_json, lines)}
        os.waitpid(pid, 0)
    return tallies


def in_turn(lane: list[Driver], folder: Path, seed: int, seconds: float) -> list[Tally]:
    """Run the drivers of one lane one after the other, `SLICES` times; `seconds` is the time of a share of 1."""
    sums = {driver.name: Tally(driver.name) for driver in lane}
    tellers = {driver.name: teller(driver, seed) for driver in lane}
    for _ in range(SLICES):
        for driver in lane:
            whole = sums[driver.name]
            part = run(
                driver, room_of(driver, folder), seed, seconds * driver.share / SLICES, first=whole.done // driver.units,
                tell=tellers[driver.name],
            )
            whole.done += part.done
            whole.counts += part.counts
            whole.examples += part.examples[:100]
    return list(sums.values())


if __name__ == "__main__":
    sys.exit(main())
