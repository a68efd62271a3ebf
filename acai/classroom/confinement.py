"""What a submission may not do: reach the network, touch files outside its folder, start programs, or use up the machine.

This stops accidents and what students try. It does not stop an attacker who knows how to leave Python by its foreign-function
interface: for submissions of strangers, run `acai grade` in a container or a virtual machine.
"""

import contextlib
import os
import sys
from collections.abc import Iterable

MIB = 2**20
LARGEST_FILE = 64 * MIB
NEW_USER_NAMESPACE, NEW_NETWORK_NAMESPACE = 0x10000000, 0x40000000
DIE_WITH_PARENT, KILLED = 1, 9
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
SYSTEM = ("/usr", "/lib", "/lib64", "/opt", "/proc/self", "/sys/devices", "/dev/null", "/dev/urandom", "/etc/localtime", "/System")
CHANGES = {  # events of Python that change files: how many of their first arguments are paths
    "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 2, "os.truncate": 1, "os.chmod": 1,
    "os.chown": 1, "os.utime": 1, "os.setxattr": 1, "os.removexattr": 1, "os.chflags": 1, "shutil.rmtree": 1, "shutil.move": 2,
    "tempfile.mkstemp": 1, "tempfile.mkdtemp": 1, "sqlite3.connect": 1,
}
FOLDERS = {  # of those, how many of their last arguments are open folders that the paths are relative to (−1: none)
    "os.remove": 1, "os.rmdir": 1, "os.mkdir": 1, "os.rename": 2, "os.link": 2, "os.symlink": 1, "os.chmod": 1, "os.chown": 1,
    "os.utime": 1,
}
FORBIDDEN = (  # beginnings of events
    "socket.", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "os.kill",
    "pty.spawn", "signal.pthread_kill", "webbrowser.open", "urllib.", "ftplib.", "smtplib.", "winreg.", "msvcrt.",
)


def leave_network() -> bool:
    """Move this process to a network of its own, which has no connections. Works on most Linux; returns whether it did."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(DIE_WITH_PARENT, KILLED)  # where the teacher's process ends, this one ends, too
        for namespaces in (NEW_USER_NAMESPACE | NEW_NETWORK_NAMESPACE, NEW_NETWORK_NAMESPACE):
            if libc.unshare(namespaces) == 0:
                return True
    return False


def limit_resources(memory: int) -> None:
    """Limit the memory that is used from now on, in MiB, and the size of files; not on Windows, which has no such limits."""
    try:
        import resource
    except ImportError:
        return
    used = 0
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, used + memory * MIB), (resource.RLIMIT_FSIZE, LARGEST_FILE), (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def confine(folder: str, readable: Iterable[str]) -> None:
    """From now on, let this process write only in a folder, and read only there and in some others. Cannot be undone."""
    home = os.path.realpath(folder)
    places = tuple(os.path.realpath(place) for place in (home, sys.prefix, sys.base_prefix, *readable, *SYSTEM) if place)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, writes = arguments[0], _is_writing(arguments[1], arguments[2])
            if not _is_in(path, (home, os.devnull) if writes else places):
                _refuse(f"{'write' if writes else 'read'} {path!r}")
        elif event in CHANGES:
            folders = arguments[-FOLDERS[event] :] if event in FOLDERS else ()
            paths = arguments[: CHANGES[event]]
            if not all(_is_in(path, (home,)) for path in paths) or any(folder != -1 for folder in folders):
                _refuse(f"change {paths[0]!r}")
        elif event.startswith(FORBIDDEN):
            _refuse(f"use {event}")

    sys.addaudithook(watch)


def _is_in(path: object, places: Iterable[str]) -> bool:
    if isinstance(path, int) or path is None:  # it is open already
        return True
    real = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]  # what open() takes
    return any(real == place or real.startswith(place.rstrip(os.sep) + os.sep) for place in places)


def _is_writing(mode: object, flags: object) -> bool:
    return bool(flags & WRITING) if isinstance(flags, int) else any(letter in str(mode) for letter in "wax+")


def _refuse(what: str) -> None:
    raise PermissionError(f"while it is being graded, a submission may not {what}")
