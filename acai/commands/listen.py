"""`acai demo`, `acai report`: from plays and audio to songs that nobody has played, on a page with audio."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from acai import plots
from acai.audio.playlist import playlist_file, write_playlist
from acai.audio.tags import cover
from acai.commands import expect_folder, expect_place
from acai.datasets.exports.collecting import YOU
from acai.datasets.synthetic import World
from acai.errors import InputError
from acai.files import atomic_write
from acai.report.page import Page, Song, encoded, network_sections, picture, section, sound_section, table
from acai.report.song_map import Group, song_map
from acai.settings import Count, Seed
from acai.studies.demo import DemoResult, Listener, rating_errors, recommend_cold_songs
from acai.studies.enough import made_up_world
from acai.studies.listener import NETWORK, Recommendations, recommend
from acai.studies.own_music import Library, OwnMusic, own_music
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
    stand = "The hidden features Q of all songs that have listeners, on the plane that shows most of them."
    aucs = "Bars: " + ", ".join(f"{name} {auc:.2f}" for name, auc in result.aucs.items()) + "."
    ladder = picture(plots.ladder(result.aucs), "How well each model recommends songs that nobody has played.", aucs)
    page = Page(
        title="acai on a SYNTHETIC world of music",
        lead="SYNTHETIC: these listeners, songs and plays are made up, so that the truth is known and every claim is measured.",
        listener=about, sound=world.sound,
        played=[Song(song, song, words) for song, words in listener.played.items()],
        new=[Song(song, song, words) for song, words in listener.new.items()],
        sections=tables + ladder + network_sections(result.audio_model, S, first)
        + section("Where the songs stand", picture(songs, stand, f"{len(warm)} dots, coloured by register, from low to high.")),
    )
    page.write(out / "report.html")


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, the first column aligned left and the others, as wide as their headings, right."""
    for first, *cells in (header, *rows):
        print(f"  {first:<36}" + "".join(f"  {cell:>{max(6, len(head))}}" for cell, head in zip(cells, header[1:])))
    print()


def report(  # noqa: PLR0913 - the options of the command
    *, plays: Path, audio: Path, user: str | None = None, factors: Count = 10, epochs: Count = 40, seed: Seed = 0,
    out: Path = Path("acai-report.html"), m3u: Path | None = None,
) -> None:
    """Report on your own music: what a listener plays most, and which unplayed tracks they will like.

    --plays is your listening history, as Last.fm, ListenBrainz, Spotify, iTunes or Apple Music export it: a file, a folder or
    the archive. Its songs are found in the folder by tags, or by the names of files. Or it is a table of listener, track and
    number of plays, separated by tabs or commas; a track is named after its file, relative to the folder: rock/some song.mp3.
    Lines of the same listener and track are added up. Tracks in the folder that nobody has played are the new ones. Models are
    compared on songs they have not seen, and the page says how well the best of them did. Writes one HTML page with text,
    pictures and audio.

    Parameters
    ----------
    plays : FILE
        Who played what, and how often.
    audio : FOLDER
        The audio files.
    user : ID
        The listener of the page (default: whoever played the most songs).
    factors : N
        Number of latent factors, where there are several listeners.
    epochs : N
        Training epochs of the network.
    seed : N
        Seed of the training.
    out : FILE
        The page.
    m3u : FILE
        Write what is recommended as a playlist, too: NAME.m3u.
    """
    expect_place(out)
    if m3u is not None:
        expect_place(playlist_file(m3u))
    expect_folder("--audio", audio)
    music = own_music(plays, audio)
    if user is not None:
        music.log.row(user)
    expect_new(music)  # what the names already rule out is reported before the work
    print_match(music)
    library = music.listen(progress=True)
    print_library(library, None if music.match else plays)
    user = user or busiest(library)
    found = recommend(library, user, factors, epochs, seed=seed, progress=True)
    print(f"\n{one_line(found.verdict)}\n\nOf the songs that nobody has played, these are for {one_line(user)}:\n")
    for place, new in enumerate(found.best, start=1):
        print(f"  {place}.  {one_line(library.name(new.song))}  (sounds like {one_line(library.name(new.nearest))})")
    write_report(out, found, music)
    if m3u is not None:
        titles = {Path(library.paths[new.song]): library.name(new.song) for new in found.best}
        write_playlist(m3u, list(titles), titles)
        print(f"\nThe playlist is in {one_line(m3u)}")
    print(f"\nLook and listen: {out.resolve()}")


def expect_new(music: OwnMusic) -> None:
    """Refuse a folder in which every track has been played."""
    plays = dict(zip(music.log.songs, np.diff(music.log.csc.indptr)))
    if all(plays.get(track) or music.skips.get(track) for track in music.folder.tracks):
        raise InputError(f"every track of {music.audio} has been played already; add some that nobody has played")


def busiest(library: Library) -> str:
    """Choose the listener who played the most songs with audio."""
    columns = [library.plays.column(song) for song in library.songs_with_audio()]
    return str(library.plays.users[np.diff(library.plays.csr[:, columns].indptr).argmax()])


def print_match(music: OwnMusic) -> None:
    """Print how a history was read, which of its songs are in the folder and by which rule, and which are not."""
    if music.match is None:
        return
    print(*map(one_line, music.log.notes), "", music.match, "", sep="\n")
    missing = music.match.unmatched
    if missing:
        some = "; ".join(f"{one_line(title)} by {one_line(artist)} ({n:,})" for (artist, title), n in missing[:5])
        print(f"not in the folder: {len(missing):,} songs, played most: {some}{'; …' if len(missing) > 5 else ''}")


def write_report(out: Path, found: Recommendations, music: OwnMusic) -> None:
    """Write the page of one listener."""
    library, user = found.profile.library, found.profile.user
    played, new = found.profile.plays, [best.song for best in found.best]
    order = np.argsort(-played, kind="stable")[: min(5, np.count_nonzero(played))]
    known = [(found.profile.songs[i], "1 play" if played[i] == 1 else f"{played[i]:g} plays") for i in order]
    like = [(best.song, f"sounds like {library.name(best.nearest)}") for best in found.best]
    S, first = library.sounds[new[0]], library.name(new[0])
    if found.choice.chosen == NETWORK and found.network is not None:
        closer = network_sections(found.network, S, first)
    else:
        closer = sound_section(S, first)
    page = Page(
        title=f"New music for {user}",
        lead=f"{found.verdict} The songs recommended have never been played by anyone in this log.",
        listener=f"{'You' if user == YOU else user} played {np.count_nonzero(played)} of the songs in this folder. Here is half a "
        "minute of each favourite, and of each song that is new.",
        played=[Song(song, library.name(song), words, cover(library.paths[song])) for song, words in known],
        new=[Song(song, library.name(song), words, cover(library.paths[song])) for song, words in like],
        sound=library.beginning,
        sections=results(found) + map_of_songs(found) + closer + matched(music),
    )
    page.write(out)


def results(found: Recommendations) -> str:
    """Build the table of how the models did, next to chance and luck."""
    choice = found.choice
    if not choice.aucs:
        return ""
    rows = [(name, f"{auc:.0%}") for name, auc in choice.aucs.items()]
    rows += [("guessing", "50%"), ("guessing, with luck (one case of twenty)", f"{choice.luck:.0%}")]
    return table("How well it knows you", ("on songs that it has not seen", "right order of two songs (AUC, E7)"), rows)


def map_of_songs(found: Recommendations) -> str:
    """Build the map of all songs with audio."""
    profile = found.profile
    best = {new.song for new in found.best}
    index = {song: i for i, song in enumerate(profile.songs)}
    played = np.flatnonzero(profile.plays).tolist()
    others = [i for i, song in enumerate(profile.songs) if not profile.plays[i] and song not in best]
    chosen = [index[new.song] for new in found.best]
    groups = [
        Group("others", "#bbb", others, [3.0] * len(others)),
        Group("played", "#0072b2", played, [3 + 2 * float(np.log1p(profile.plays[i])) for i in played]),
        Group("recommended", "#d55e00", chosen, [7.0] * len(chosen)),
    ]
    return section("Your songs by sound", song_map(found.features, [profile.library.name(song) for song in profile.songs], groups))


def matched(music: OwnMusic) -> str:
    """Build the table of how the songs of a history were found in the folder; "" for a table that names the tracks."""
    match = music.match
    if match is None:
        return ""
    rows = [(rule.rule, f"{rule.n_songs:,}", f"{rule.n_plays:,}") for rule in match.matches]
    rows.append(("not in the folder", f"{len(match.unmatched):,}", f"{sum(n for _, n in match.unmatched):,}"))
    return table("Which file is which song", ("matched by", "songs", "plays"), rows)


def some(tracks: Sequence[str]) -> str:
    """List the first three tracks."""
    return ", ".join(map(one_line, tracks[:3])) + (", …" if len(tracks) > 3 else "")


def print_library(library: Library, plays: Path | None) -> None:
    """Print which tracks can be used, which cannot, and why; and which tracks of a table of plays are not in the folder."""
    for track, reason in library.skipped.items():
        print(f"skipped: {one_line(track)} {reason}")
    unusable = [track for track in library.missing_audio if track in library.skipped]
    missing = [track for track in library.missing_audio if track not in library.skipped]
    if unusable:
        print(f"{len(unusable)} of the tracks that were played cannot be used: {some(unusable)}")
    if missing and plays is not None:
        print(f"{len(missing)} of the tracks in {plays} are not in {library.audio}: {some(missing)}")
    songs = library.songs_with_audio()
    n_played = int(np.count_nonzero(np.diff(library.plays.csc.indptr)[[library.plays.column(song) for song in songs]]))
    print(f"{library.plays}\n{n_played} songs to learn from, {len(songs) - n_played} that nobody has played\n")
