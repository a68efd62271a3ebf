"""Find a place for Numba's cache of compiled kernels when neither the installation nor the user's home is writable."""

import importlib.util
import os
import sys
from pathlib import Path

PACKAGES = ("acai", "librosa")  # both have kernels that Numba caches


def provide() -> None:
    """Point Numba to a temporary folder if it has no other place for its cache; without one, it refuses to compile.

    This has to happen before the first kernel is defined, so `import acai` does it. Child processes share the folder.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen and _writable(Path(chosen)):
        return
    if _writable(_user_cache()) or all(_writable(folder / "__pycache__") for folder in _package_folders()):
        return
    try:
        folder, is_new = _temporary_folder()
    except OSError:  # not even a temporary folder: Numba will report what is missing
        return
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if not _writable(Path(os.path.expanduser("~/.config/matplotlib"))):
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))  # or Matplotlib prints a warning of two lines
    if "numba" in sys.modules:  # Numba read the variable when it was imported
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    if is_new and sys.stderr is not None:
        reason = "neither the installation nor your home folder is writable"
        print(f"acai: {reason}; compiled code is cached in {folder} (set NUMBA_CACHE_DIR to change this)", file=sys.stderr)


def _user_cache() -> Path:
    """Return the folder in the user's home that Numba chooses."""
    if sys.platform == "darwin":
        return Path(os.path.expanduser("~/Library/Caches/numba"))
    return Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "numba")


def _package_folders() -> list[Path]:
    found = [importlib.util.find_spec(name) for name in PACKAGES]
    return [Path(spec.origin).parent for spec in found if spec is not None and spec.origin]


def _writable(folder: Path) -> bool:
    """Whether files can be created in a folder that exists or could be created."""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _temporary_folder() -> tuple[Path, bool]:
    """Return a private folder of this user, and whether it is new.

    Cached code is executed, so the folder must not belong to, or be writable by, anybody else.
    """
    import tempfile

    user = os.getuid() if hasattr(os, "getuid") else "user"
    folder = Path(tempfile.gettempdir(), f"acai-numba-{user}")
    try:
        folder.mkdir(mode=0o700)
        return folder, True
    except FileExistsError:
        found = folder.lstat()
        if folder.is_dir() and not folder.is_symlink() and found.st_uid == user and not found.st_mode & 0o077:
            return folder, False
    return Path(tempfile.mkdtemp(prefix="acai-numba-")), True
