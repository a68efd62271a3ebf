"""SIGKILL and SIGINT at random moments, and a full disk, for every command: nothing is lost, and the next run mends it all."""

import contextlib
import functools
import os
import signal
import subprocess
from pathlib import Path

import numpy as np

from .deeds import (
    DEEDS,
    Deed,
    broken,
    bystanders,
    examine,
    examine_rerun,
    give,
    perform,
    rehearse,
    rehearsed,
    snapshot,
    traceback_of_acai,
)
from .ledger import Driver, Fault
from .loopback import Loopback
from .server import Ended, Server

WRITERS = [name for name, deed in DEEDS.items() if deed.writes]


def prepare(folder: Path, names: tuple[str, ...] = tuple(DEEDS)) -> None:
    """Run every command undisturbed."""
    (folder / "given").mkdir()
    give(folder / "given")
    with Server(folder / "server") as server, Loopback():
        rehearse(server, folder / "given", folder, list(names))


@functools.cache
def helpers(shared: Path) -> Server:
    """The servers of this worker, which end when it does."""
    stack = contextlib.ExitStack()  # never closed: both end with the pipe on which they listen
    server = stack.enter_context(Server(shared / f"server-{os.getpid()}"))
    stack.enter_context(Loopback())
    server.stack = stack
    return server


def furnish(shared: Path, deed: Deed, room: Path, rng: np.random.Generator) -> tuple[dict[str, str], dict[str, str]]:
    """Bystanders, and in half of the cases an older version of what will be written: what is there, and what is expected."""
    bystanders(room)
    expected = rehearsed(shared)[deed.name]["files"]
    if rng.random() < 0.5:
        for name in expected:
            path = room / name
            if not path.exists() and path.suffix in (".npz", ".png", ".html", ".wav") and path.name not in deed.refines:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"an older version of " + name.encode())
    return snapshot(room), expected


def again(server: Server, shared: Path, deed: Deed, room: Path, expected: dict[str, str]) -> list[Fault]:
    """Run the command once more, to its end: everything must be as if it had never been stopped."""
    ended = perform(server, deed, shared / "given", room, limit=120)
    return examine_rerun(deed, ended, snapshot(room), expected)


def moment(shared: Path, deed: Deed, rng: np.random.Generator) -> float:
    """When to stop a command: any time from its start to a little after its usual end."""
    return float(rng.uniform(0, 1.05 * rehearsed(shared)[deed.name]["seconds"]))


def kill(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """SIGKILL one command at a random moment; every fifth time in a process that was not forked."""
    deed, server = DEEDS[WRITERS[n % len(WRITERS)]], helpers(shared)
    before, expected = furnish(shared, deed, room, rng)
    fresh = n % 5 == 4
    after = moment(shared, deed, rng) + fresh * 1.0
    perform(server, deed, shared / "given", room, signal=signal.SIGKILL, after=after, fresh=fresh)
    faults = examine(deed, before, snapshot(room), expected)
    return faults + again(server, shared, deed, room, expected)


def interrupt(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """SIGINT one command at a random moment: it stops with 130, or finishes with all that it should have written."""
    names = list(DEEDS)
    deed, server = DEEDS[names[n % len(names)]], helpers(shared)
    before, expected = furnish(shared, deed, room, rng)
    fresh = n % 5 == 4
    after = moment(shared, deed, rng) + fresh * 1.0
    ended = perform(server, deed, shared / "given", room, signal=signal.SIGINT, after=after, fresh=fresh)
    found = snapshot(room)
    faults = judge_interrupted(deed, ended, room, before, found, expected)
    is_to_be_mended = deed.writes and ended.was_signalled and n // len(names) % 2 == 0
    return faults + (again(server, shared, deed, room, expected) if is_to_be_mended else [])


def judge_interrupted(
    deed: Deed, ended: Ended, room: Path, before: dict[str, str], found: dict[str, str], expected: dict[str, str]
) -> list[Fault]:
    """The faults of a command that was sent SIGINT."""
    if ended.code is None:
        return [Fault("hung", f"{deed.name}: does not end after SIGINT: {ended.err.strip()[-200:]}")]
    faults = []
    cut_short = "cut short" in ended.out or "stopped in epoch" in ended.out + ended.err
    words = f"{deed.name}: after SIGINT, exit code {ended.code}: {from_the_traceback(ended.err)}"
    if traceback_of_acai(ended.err) or "SystemError" in ended.err:
        faults.append(Fault("foreign", words))
    elif ended.code not in (0, 130, -signal.SIGINT):
        faults.append(Fault("foreign", words))
    if ended.code != 0 or not cut_short:
        faults += examine(deed, before, found, expected)
    if ended.code == 0:
        for name in expected:
            path = room / name
            if not path.exists() and not cut_short:
                faults.append(Fault("lost", f"{deed.name}: exit code 0, but {name} is missing"))
            elif path.exists() and name not in before and broken(path):
                faults.append(Fault("silent", f"{deed.name}: exit code 0, but in {name} {broken(path)}"))
    return faults


def from_the_traceback(printed: str, most: int = 1500) -> str:
    """What was printed, from its first traceback on; without one, the end of it."""
    at = printed.find("Traceback")
    return " ".join((printed[max(0, at - 200) :] if at >= 0 else printed[-400:]).split())[:most]


def full(shared: Path, n: int, rng: np.random.Generator, room: Path) -> list[Fault]:
    """A disk that fills up while a command writes: one line, exit code 2, and nothing half written."""
    deed, server = DEEDS[WRITERS[n % len(WRITERS)]], helpers(shared)
    with small_disk(room, mounted=n % 2 == 0) as disk:
        before, expected = furnish(shared, deed, disk, rng)
        space = int(2 ** rng.uniform(8, 20))
        if disk == room:
            ended = perform(server, deed, shared / "given", room, limit=120, ACAI_SOAK_FSIZE=str(max(space, 4096)))
        else:
            fill(disk, space)
            ended = perform(server, deed, shared / "given", disk, limit=120)
            (disk / "ballast").unlink(missing_ok=True)
        faults = judge_full(deed, ended, disk, before, expected)
        return faults + again(server, shared, deed, disk, expected)


def judge_full(deed: Deed, ended: Ended, disk: Path, before: dict[str, str], expected: dict[str, str]) -> list[Fault]:
    """The faults of a command that found no space."""
    if ended.code is None:
        return [Fault("hung", f"{deed.name}: hangs on a full disk")]
    faults = []
    lines = [line for line in ended.err.splitlines() if line.startswith("acai: ")]
    is_job = "save" in deed.name or deed.name == "checkpoint"  # which has no command line to catch an OSError
    told_in_a_line = len(lines) == 1 and "Traceback" not in ended.err
    said = ended.err.strip().splitlines()[-1:] or [""]
    if ended.code == 0:
        found = snapshot(disk)
        missing = [name for name, digest in expected.items() if found.get(name) != digest and Path(name).name not in deed.refines]
        if missing:
            faults.append(Fault("silent", f"{deed.name}: exit code 0 on a full disk, but {missing} are not written"))
    elif is_job and said[0].startswith(("OSError", "acai.errors.InputError")):
        pass
    elif ended.code != 2 or not told_in_a_line:
        printed = " ".join(ended.err.split())[-400:]
        faults.append(Fault("foreign", f"{deed.name}: on a full disk, exit code {ended.code}: {printed}"))
    return faults + examine(deed, before, snapshot(disk), expected)


@contextlib.contextmanager
def small_disk(room: Path, mounted: bool):
    """A file system of 8 MB in memory, where that may be mounted; otherwise the room itself."""
    disk = room / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "acai-soak", str(disk)]
    if not mounted or os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode != 0:
        disk.rmdir()
        yield room
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], capture_output=True)


def fill(disk: Path, space: int) -> None:
    """Leave so many bytes free."""
    status = os.statvfs(disk)
    with open(disk / "ballast", "wb") as file, contextlib.suppress(OSError):
        file.write(bytes(max(0, status.f_bavail * status.f_frsize - space)))


KILLS = Driver(
    "kills", "SIGKILL at a random moment of every command", "SIGKILLs", prepare, kill, limit=400, share=4.0, stock="stops",
)
INTERRUPTS = Driver(
    "interrupts", "SIGINT at a random moment of every command", "SIGINTs", prepare, interrupt, limit=400, share=4.5, stock="stops",
)
FULL_DISK = Driver(
    "full-disk", "a disk that fills up while a command writes", "runs", prepare, full, limit=400, share=1.0, stock="stops",
)
