"""What runs in processes that are killed and interrupted, where the command line has no word for it."""

import sys
import time
from pathlib import Path

from . import material

N_SAVES = 150


def save_again_and_again(kind: str, path: str) -> None:
    """Save the same thing to the same place many times, so that a signal is likely to arrive while it is being saved."""
    if kind == "ratings":
        thing = material.ratings(200, 300, 0.5)
    elif kind == "model":
        from acai.cf import SGD

        thing = SGD(20, n_epochs=1).fit(material.ratings(200, 300, 0.2))
    else:
        from acai import nn

        thing = nn.Sequential([nn.Linear(300, 400, seed=0), nn.ReLU(), nn.Linear(400, 100, seed=1)])
    deadline = time.monotonic() + 0.7
    for _ in range(N_SAVES):
        thing.save(path)
        if time.monotonic() > deadline:
            break


def train_with_checkpoint(checkpoint: str, out: str) -> None:
    """Train an audio model, going on from a checkpoint if there is one, and save it."""
    model = material.audio_model(n_epochs=15).fit(material.spectrograms(12), material.targets(12), checkpoint=checkpoint)
    if len(model.history) < 15:
        sys.exit(130)  # Ctrl-C ended the training early, which is no error of `fit`, but this program has not done its work
    model.save(out)


def download(url: str, folder: str) -> None:
    """`acai download`, of a data set that a server on this machine has."""
    from acai import cli
    from acai.datasets import catalogue

    address, _, checksum = url.partition(" ")
    remote = catalogue.Remote(address, checksum or None)
    catalogue.CATALOGUE["soak"] = catalogue.DataSet("1 MB", "none", "the soak", "triplets", ("soak.bin",), (remote,))
    cli.main(["download", "soak", "--to", str(Path(folder)), "--yes"])
