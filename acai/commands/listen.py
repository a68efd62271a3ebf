"""`acai demo`, `acai report`: from plays and audio to songs that nobody has played, on a page with audio."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from acai import plots
from acai.commands import expect_place
from acai.datasets.synthetic import World
from acai.files import atomic_write
from acai.report.page import Page, encoded, picture, table
from acai.settings import Count, Seed
from acai.studies.demo import DemoResult, Listener, rating_errors, recommend_cold_songs
from acai.studies.enough import made_up_world
from acai.studies.own_music import Library, own_music, recommend, split_by_plays
from acai.terminal import one_line

HEADER = "", "AUC", "gap to the truth closed"  # of a comparison
SONG_FILE = re.compile(r"(favourite|recommended)-[1-9]-song-[0-9]{4,}\.wav")  # the names of the demo's songs


def demo(*, out: Path = Path("acai-demo"), songs: Count = 800, users: Count = 1000, epochs: Count = 40, seed: Seed = 0) -> None:
    """Explore a small made-up world of music, from its plays to recommendations of songs that nobody has played.

    The world is SYNTHETIC: its listeners and songs are made up, so that the truth is known and every claim can be measured.
    Writes a page, one picture and a few songs to a folder.

    Parameters
    ----------
    out : FOLDER
        The folder to write to.
    songs : N
        Number of songs in the world.
    users : N
        Number of listeners in the world.
    epochs : N
        Training epochs of the network.
    seed : N
        Seed of the world and of the training.
    """
    for name in "report.html", "demo.png":
        expect_place(out / name)
    print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
    world, split = made_up_world(users, songs, seed)
    hidden = "Songs that were played: a fifth of the ratings, made from plays by rule D4, is held out and predicted."
    print(f"{world.plays}\n\n{hidden}\n")
    errors = [(model, f"{error:.4f}") for model, error in rating_errors(world.plays, seed).items()]
    print_table(("", "RMSE"), errors)

    print(f"Now {len(split.cold)} songs are held out, as if nobody had ever played them. Only their audio is left.\n")
    result = recommend_cold_songs(world, split, epochs, seed, progress=True)
    rows = [(name, f"{auc:.4f}", f"{result.gap_closed(name):.1%}") for name, auc in result.aucs.items()]
    print("\nSongs that nobody has played: does one that a listener plays rank above one they do not? (AUC, E7)\n")
    print_table(HEADER, rows)

    listener = result.typical_listener()
    about = (
        f"{listener.name}, for whom the network works better than for half of the listeners and worse than for the other half, "
        f"likes music that is {listener.likes}. That is the truth, which the network has never seen."
    )
    print(f"{about}\n\nPlayed most:\n")
    print(*(f"  {song}  {words}" for song, words in listener.played.items()), sep="\n")
    print("\nOf the songs that nobody has played, these rank first:\n")
    print(*(f"  {song}  {words}" for song, words in listener.new.items()), sep="\n")

    wavs = write_songs(out, world, listener)
    tables = table("Songs that were played", ("RMSE on held-out ratings", "RMSE"), errors)
    tables += table("Songs that nobody has played", HEADER, rows)
    write_demo_page(out, result, listener, about, tables)
    for old in list(out.iterdir()):  # of an earlier demo
        if SONG_FILE.fullmatch(old.name) and old.name not in wavs:
            old.unlink(missing_ok=True)  # another demo may be doing the same
    print(f"\nLook and listen: {out.resolve() / 'report.html'} (the songs and a picture are in the same folder)")


def write_songs(out: Path, world: World, listener: Listener) -> set[str]:
    """Write the songs that the listener played most and those recommended; return the names of the files."""
    names = set()
    for kind, songs in ("favourite", listener.played), ("recommended", listener.new):
        for n, song in enumerate(songs, start=1):
            contents = encoded(*world.sound(song), "WAV")
            names.add(f"{kind}-{n}-{song}.wav")
            with atomic_write(out / f"{kind}-{n}-{song}.wav") as temporary:
                temporary.write_bytes(contents)
    return names


def write_demo_page(out: Path, result: DemoResult, listener: Listener, about: str, tables: str) -> None:
    """Write the picture and the page of the demo."""
    world = result.world
    warm = result.split.warm
    first = next(iter(listener.new))
    S = result.spectrograms[world.plays.column(first)]
    plots.save(plots.overview(result.aucs, result.audio_model.history, S, first), out / "demo.png")
    songs = plots.factor_map(result.factors.Q[warm], world.features[warm, 1], "register, from low to high")
    page = Page(
        title="acai on a SYNTHETIC world of music",
        lead="SYNTHETIC: these listeners, songs and plays are made up, so that the truth is known and every claim is measured.",
        listener=about, played=listener.played, new=listener.new, sound=world.sound, audio_model=result.audio_model, S=S,
        factor_map=songs,
        results=tables + picture(plots.ladder(result.aucs), "How well each model recommends songs that nobody has played."),
    )
    page.write(out / "report.html")


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, the first column aligned left and the others, as wide as their headings, right."""
    for first, *cells in (header, *rows):
        print(f"  {first:<36}" + "".join(f"  {cell:>{max(6, len(head))}}" for cell, head in zip(cells, header[1:])))
    print()


def report(  # noqa: PLR0913 - the options of the command
    *, plays: Path, audio: Path, user: str | None = None, factors: Count = 10, epochs: Count = 40, seed: Seed = 0,
    out: Path = Path("acai-report.html"),
) -> None:
    """Report on your own music: what a listener plays most, and which unplayed tracks sound similar.

    --plays is a table of listener, track and number of plays, separated by tabs or commas, without a header; a track is named
    after its file, relative to the folder: rock/some song.mp3. Lines of the same listener and track are added up. Tracks in the
    folder that nobody in the table has played are the new ones. Writes one HTML page with text, pictures and audio.

    Parameters
    ----------
    plays : FILE
        Who played what, and how often.
    audio : FOLDER
        The audio files.
    user : ID
        The listener of the page (default: whoever played the most songs).
    factors : N
        Number of latent factors.
    epochs : N
        Training epochs of the network.
    seed : N
        Seed of the training.
    out : FILE
        The page.
    """
    expect_place(out)
    music = own_music(plays, audio)
    user = user or str(music.log.users[np.diff(music.log.csr.indptr).argmax()])
    music.log.row(user)
    split_by_plays(music.folder.tracks, music.log, audio)  # what the names already rule out is reported before the work
    library = music.listen(progress=True)
    print_library(library, plays)
    found = recommend(library, user, factors, epochs, seed=seed, progress=True)
    if found.warning:
        print(f"\n{found.warning}")
    print(f"\nOf the songs that nobody has played, these are for {one_line(user)}:\n")
    print(*(f"  {score:8.4f}  {one_line(song)}" for song, score in found.best), sep="\n")

    lead = "The songs on the right have never been played by anyone in this log: they were chosen by their audio alone."
    known = [(song, n) for song, n in found.played if song in library.sounds][:5]
    page = Page(
        title=f"New music for {user}",
        lead=f"{lead} {found.warning}".rstrip(),
        listener=f"{user} played {len(found.played)} songs. Here are half a minute of each favourite, and of what is new.",
        played={song: f"{n:g} plays" for song, n in known},
        new={song: f"score {score:.3f}" for song, score in found.best},
        sound=library.beginning, audio_model=found.audio_model, S=library.sounds[found.best[0][0]],
        factor_map=plots.factor_map(found.Q),
    )
    page.write(out)
    print(f"\nLook and listen: {out.resolve()}")


def print_library(library: Library, plays: Path) -> None:
    """Print which tracks can be used, which cannot, and why."""
    for track, reason in library.skipped.items():
        print(f"skipped: {one_line(track)} {reason}")
    played, unplayed = library.played_and_unplayed()
    missing = library.missing_audio
    if missing:
        some = ", ".join(map(one_line, missing[:3])) + (", …" if len(missing) > 3 else "")
        print(f"{len(missing)} of the tracks in {plays} have no audio in {library.audio}: {some}")
    print(f"{library.plays}\n{len(played)} songs to train on, {len(unplayed)} that nobody has played\n")
