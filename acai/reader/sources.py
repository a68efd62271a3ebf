"""Where the README and the source files are: in a checkout, or in an installed package, which has no tests."""

import importlib.metadata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import acai
from acai.errors import InputError

PACKAGE = Path(acai.__file__).parent


@dataclass(frozen=True)
class Sources:
    """The files that the page is made of.

    Attributes
    ----------
    root : Path
        The folder that contains the package `acai`.
    readme : str
        The text of README.md.
    is_checkout : bool
        Whether `root` is a checkout of the project, with tests, notebooks and pictures.
    """

    root: Path
    readme: str
    is_checkout: bool

    @cached_property
    def code(self) -> dict[str, str]:
        """The text of every Python file of the package, by its path from `root`."""
        return self._texts(self.root / "acai")

    @cached_property
    def tests(self) -> dict[str, str]:
        """The text of every test file; empty outside a checkout."""
        return self._texts(self.root / "tests") if self.is_checkout else {}

    @cached_property
    def notebooks(self) -> dict[str, str]:
        """The text of every notebook's source; empty outside a checkout."""
        return self._texts(self.root / "notebooks" / "source") if self.is_checkout else {}

    def picture(self, path: str) -> bytes | None:
        """Return the contents of a picture of the README, or None if it is not there or not inside the project."""
        file = (self.root / path).resolve()
        if not self.is_checkout or not file.is_relative_to(self.root.resolve()) or not file.is_file():
            return None
        return file.read_bytes()

    def _texts(self, folder: Path) -> dict[str, str]:
        files = sorted(file for file in folder.rglob("*.py") if ".ipynb_checkpoints" not in file.parts)  # copies by Jupyter
        return {file.relative_to(self.root).as_posix(): file.read_text(encoding="utf-8") for file in files}


def find_sources() -> Sources:
    """Find the README that belongs to this version of the package.

    In a checkout, it is the file beside the package; the metadata of an editable installation may be older. An installed
    wheel carries it as the long description in its metadata.
    """
    root = PACKAGE.parent
    if (root / "README.md").is_file() and (root / "setup.cfg").is_file():
        return Sources(root, (root / "README.md").read_text(encoding="utf-8"), is_checkout=True)
    try:
        metadata = importlib.metadata.metadata("acai")
        readme = metadata["Description"] if "Description" in metadata else ""
    except importlib.metadata.PackageNotFoundError:
        readme = ""
    if r"\tag{" not in readme:
        raise InputError(
            f"no README.md in {root}, nor in the metadata of an installed acai; expected the README with the equations: "
            "run this in a checkout, or install acai with pip"
        )
    return Sources(root, readme, is_checkout=False)
