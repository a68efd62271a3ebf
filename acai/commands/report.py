"""`acai report`: songs of one's own that one has never played, recommended by their sound."""

from pathlib import Path

import numpy as np

from acai import plots
from acai.cf import ALS
from acai.commands.models import favourites
from acai.content import AudioToFactors, NewSongs
from acai.content.library import own_music
from acai.errors import InputError
from acai.recording import Recording
from acai.report import write_report

RATE = 22050


def report(
    *, plays: Path, audio: Path, user: str | None = None, factors: int = 10, epochs: int = 40, seed: int = 0,
    out: Path = Path("acai-report.html"),
) -> None:  # fmt: skip
    """Your own music on one page: what a listener plays most, and what of the unplayed sounds like it.

    --plays is a table of listener, track and number of plays, parted by tabs or commas, without a header; a track is named as
    its file is, relative to the folder: rock/some song.mp3. Tracks of the folder that nobody in the table has played are the
    new ones. Writes one HTML page that can be read, looked at and listened to.

    Parameters
    ----------
    plays : FILE
        Who played what how often.
    audio : FOLDER
        The sound files.
    user : ID
        Whose page it is (default: whoever played the most songs).
    factors : N
        Hidden features.
    epochs : N
        Passes of the network over the songs.
    seed : N
        Of all that is learnt.
    out : FILE
        The page.
    """
    library = own_music(plays, audio, progress=True)
    log, sounds = library.plays, library.sounds
    for track, reason in library.skipped.items():
        print(f"skipped: {track} {reason}")
    if library.unheard_of:
        some = ", ".join(map(str, library.unheard_of[:3])) + (", …" if len(library.unheard_of) > 3 else "")
        print(f"{len(library.unheard_of)} of the tracks in {plays} cannot be heard in {audio}: {some}")
    user = log.users[int(np.diff(log.csr.indptr).argmax())] if user is None else user
    played = favourites(log, user)
    audible = [(song, n) for song, n in zip(log.songs, np.diff(log.csc.indptr)) if song in sounds]
    heard, new = [song for song, n in audible if n], [song for song, n in audible if not n]
    if not new:
        raise InputError(f"every track of {audio} has been played already; add some that nobody has played")
    print(f"{log}\n{len(heard)} songs to learn from, {len(new)} that nobody has played\n")

    model = ALS(n_factors=factors, reg=10.0, seed=seed).fit(log, progress=True)  # P, Q (C11)
    Q = model.Q[[log.column(song) for song in heard]]
    ear = AudioToFactors(n_epochs=epochs, seed=seed).fit([sounds[song] for song in heard], Q, progress=True)
    Q_hat = ear.predict([sounds[song] for song in new])  # (A4)
    lead = "The songs on the right have never been played by anyone in this log: they were chosen by their sound alone."
    score = max(epoch.score for epoch in ear.history)
    if score <= 0:
        caution = (
            f"Beware: on songs kept aside the network tells less than their mean would (R² {score:.2f}): "
            f"{len(heard)} songs are too few to learn from. Do not trust the order."
        )
        print(f"\n{caution}")
        lead += f" {caution}"
    best = NewSongs(model, dict(zip(new, Q_hat))).recommend_new(user, n=5)
    print(f"\nOf the songs that nobody has played, these are for {user}:\n")
    for song, score in best:
        print(f"  {score:8.4f}  {song}")

    known = [(song, n) for song, n in played if song in sounds][:5]
    songs = {
        "Played most": {f"{song}, {n:g} plays": _beginning(library.paths[song]) for song, n in known},
        "Recommended by their sound alone": {
            f"{song}, score {score:.3f}": _beginning(library.paths[song]) for song, score in best
        },
    }
    listener = f"{user} played {len(played)} songs. Here are half a minute of the favourites, and of what is new."
    example = (best[0][0], sounds[best[0][0]])
    write_report(out, f"New music for {user}", lead, listener, songs, ear, example, plots.factor_map(Q))
    print(f"\nLook and listen: {out.resolve()}")


def _beginning(path: Path, seconds: float = 30) -> tuple[np.ndarray, float]:
    recording, blocks = Recording(path, RATE), []
    for block in recording:
        blocks.append(block)
        if recording.n_samples >= seconds * RATE:
            break
    return np.concatenate(blocks)[: int(seconds * RATE)], RATE
