"""`acai demo`, `acai report`: from plays and sound to songs that nobody has played, on a page to be heard."""

import re
from pathlib import Path

import numpy as np

from acai import plots
from acai.commands import expect_place
from acai.datasets.synthetic import World, synthetic
from acai.files import atomic_write
from acai.report.page import Page, encoded, picture, table
from acai.studies.demo import Listener, Placed, errors_of_hidden_ratings, place_unheard
from acai.studies.ladder import Split
from acai.studies.own_music import Library, expect_both, own_music, recommend
from acai.terminal import one_line

RUNGS = "", "AUC", "way to the truth"  # the heading of a ladder
SONG_FILE = re.compile(r"(favourite|recommended)-[1-9]-song-[0-9]{4,}\.wav")  # what the demo calls its songs


def demo(*, out: Path = Path("acai-demo"), songs: int = 800, users: int = 1000, epochs: int = 40, seed: int = 0) -> None:
    """Hear a small made-up world of music, from its plays to recommendations of songs that nobody has played.

    The world is SYNTHETIC: its listeners and songs are made up, so that the truth is known and every claim can be measured.
    Writes a page, one picture and a few songs to listen to into a folder.

    Parameters
    ----------
    out : FOLDER
        Where to write.
    songs : N
        Songs in the world.
    users : N
        Listeners in the world.
    epochs : N
        Passes of the network over the songs.
    seed : N
        Another seed, another world.
    """
    for name in "report.html", "demo.png":
        expect_place(out / name)
    print("A SYNTHETIC world: its listeners, songs and plays are made up, so that we know the truth.\n")
    world = synthetic(users, songs, seed=seed)
    hidden = "Songs that were played: a fifth of the ratings, made of plays by rule D4, is hidden and predicted."
    print(f"{world.plays}\n\n{hidden}\n")
    errors = [(model, f"{error:.4f}") for model, error in errors_of_hidden_ratings(world.plays, seed).items()]
    print_table(("", "RMSE"), errors)

    split = Split.of(*world.plays.split_songs(test=0.2, seed=seed))
    print(f"Now {len(split.unheard)} songs are held out: as if nobody had ever played them. Only their sound is left.\n")
    placed = place_unheard(world, split, epochs, seed, progress=True)
    rungs = [(name, f"{area:.4f}", f"{placed.way(name):.1%}") for name, area in placed.areas.items()]
    print("\nSongs that nobody has played: does one that a listener plays stand above one they do not? (AUC, E7)\n")
    print_table(RUNGS, rungs)

    listener = placed.typical_listener()
    about = (
        f"{listener.name}, whom the network serves better than half of the others and worse than the other half, likes music "
        f"that is {listener.likes}. That is the truth, which the network was not told."
    )
    print(f"{about}\n\nPlayed most:\n")
    print(*(f"  {song}  {words}" for song, words in listener.played.items()), sep="\n")
    print("\nOf the songs that nobody has played, these come first:\n")
    print(*(f"  {song}  {words}" for song, words in listener.new.items()), sep="\n")

    wavs = write_songs(out, world, listener)
    results = table("Songs that were played", ("RMSE of hidden ratings", "RMSE"), errors)
    results += table("Songs that nobody has played", RUNGS, rungs)
    write_demo_page(out, placed, listener, about, results)
    for old in list(out.iterdir()):  # of a demo before this one
        if SONG_FILE.fullmatch(old.name) and old.name not in wavs:
            old.unlink(missing_ok=True)  # another demo may be doing the same
    print(f"\nLook and listen: {out.resolve() / 'report.html'} (the songs and a picture lie beside it)")


def write_songs(out: Path, world: World, listener: Listener) -> set[str]:
    """Write the songs that the listener played most and those recommended to them; returns the names of the files."""
    names = set()
    for kind, songs in ("favourite", listener.played), ("recommended", listener.new):
        for n, song in enumerate(songs, start=1):
            contents = encoded(*world.sound(song), "WAV")
            names.add(f"{kind}-{n}-{song}.wav")
            with atomic_write(out / f"{kind}-{n}-{song}.wav") as temporary:
                temporary.write_bytes(contents)
    return names


def write_demo_page(out: Path, placed: Placed, listener: Listener, about: str, results: str) -> None:
    """Write the picture and the page of the demo."""
    world, heard = placed.world, placed.split.heard
    first = next(iter(listener.new))
    S = placed.spectrograms[world.plays.column(first)]
    plots.save(plots.overview(placed.areas, placed.ear.history, S, first), out / "demo.png")
    songs = plots.factor_map(placed.model.Q[heard], world.features[heard, 1], "register, from low to high")
    page = Page(
        title="acai on a SYNTHETIC world of music",
        lead="SYNTHETIC: these listeners, songs and plays are made up, so that the truth is known and every claim is measured.",
        listener=about, played=listener.played, new=listener.new, sound=world.sound, ear=placed.ear, S=S, factor_map=songs,
        results=results + picture(plots.ladder(placed.areas), "How well each way recommends songs that nobody has played."),
    )
    page.write(out / "report.html")


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """The first column to the left, the others, each as wide as its heading, to the right."""
    for first, *cells in (header, *rows):
        print(f"  {first:<36}" + "".join(f"  {cell:>{max(6, len(head))}}" for cell, head in zip(cells, header[1:])))
    print()


def report(
    *, plays: Path, audio: Path, user: str | None = None, factors: int = 10, epochs: int = 40, seed: int = 0,
    out: Path = Path("acai-report.html"),
) -> None:
    """Your own music on one page: what a listener plays most, and what of the unplayed sounds like it.

    --plays is a table of listener, track and number of plays, parted by tabs or commas, without a header; a track is named as
    its file is, relative to the folder: rock/some song.mp3. Lines of the same listener and track are summed up. Tracks of the
    folder that nobody in the table has played are the new ones. Writes one HTML page that can be read, looked at and listened to.

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
    expect_place(out)
    music = own_music(plays, audio)
    user = user or music.log.users[np.diff(music.log.csr.indptr).argmax()]
    music.log.row(user)
    expect_both(music.folder.tracks, music.log, audio)  # what the names show to be in vain should not have to wait
    library = music.listen(progress=True)
    print_library(library, plays)
    found = recommend(library, user, factors, epochs, seed=seed, progress=True)
    if found.caution:
        print(f"\n{found.caution}")
    print(f"\nOf the songs that nobody has played, these are for {one_line(user)}:\n")
    print(*(f"  {score:8.4f}  {one_line(song)}" for song, score in found.best), sep="\n")

    lead = "The songs on the right have never been played by anyone in this log: they were chosen by their sound alone."
    known = [(song, n) for song, n in found.played if song in library.sounds][:5]
    page = Page(
        title=f"New music for {user}",
        lead=f"{lead} {found.caution}".rstrip(),
        listener=f"{user} played {len(found.played)} songs. Here are half a minute of the favourites, and of what is new.",
        played={song: f"{n:g} plays" for song, n in known},
        new={song: f"score {score:.3f}" for song, score in found.best},
        sound=library.beginning, ear=found.ear, S=library.sounds[found.best[0][0]], factor_map=plots.factor_map(found.Q),
    )
    page.write(out)
    print(f"\nLook and listen: {out.resolve()}")


def print_library(library: Library, plays: Path) -> None:
    """What can be heard, what cannot, and why."""
    for track, reason in library.skipped.items():
        print(f"skipped: {one_line(track)} {reason}")
    heard, unheard = library.heard_and_unheard()
    missing = library.unheard_of
    if missing:
        some = ", ".join(map(one_line, missing[:3])) + (", …" if len(missing) > 3 else "")
        print(f"{len(missing)} of the tracks in {plays} cannot be heard in {library.audio}: {some}")
    print(f"{library.plays}\n{len(heard)} songs to learn from, {len(unheard)} that nobody has played\n")
