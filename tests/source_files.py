"""Which Python files belong to the project."""

from pathlib import Path


def python_files(folder: Path) -> list[Path]:
    """All Python files in a folder, but for copies in hidden folders: Jupyter leaves one of every file that is opened in it."""
    files = (path for path in folder.rglob("*.py") if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    return sorted(files)
