"""`--m3u`: a list of songs as a playlist, where the songs are files."""

import unicodedata
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from acai.audio.folder import AudioFolder, audio_folder
from acai.audio.playlist import playlist_file, write_playlist
from acai.audio.tags import names_in_tags
from acai.commands import expect_folder, expect_place
from acai.errors import InputError
from acai.terminal import one_line


@dataclass(frozen=True)
class PlaylistPlan:
    """The playlist to write, and the folder with the sound files that the songs are named after."""

    file: Path
    folder: AudioFolder

    @classmethod
    def of_options(cls, m3u: Path | None, audio: Path | None) -> "PlaylistPlan | None":
        """Check --m3u and --audio before the work begins; None if no playlist is wanted."""
        if m3u is None:
            if audio is not None:
                raise InputError("--audio is the folder for a playlist; expected --m3u FILE as well")
            return None
        expect_place(playlist_file(m3u))
        if audio is not None:
            expect_folder("--audio", audio)
        return cls(m3u, audio_folder(audio or Path()))

    def paths_of(self, songs: Iterable[Hashable]) -> dict[Hashable, Path]:
        """Find the files of the songs that have one; composed and decomposed characters are the same."""
        spelled = {unicodedata.normalize("NFC", track): path for track, path in self.folder.paths.items()}
        named = {song: self.folder.paths.get(str(song)) or spelled.get(unicodedata.normalize("NFC", str(song))) for song in songs}
        return {song: path for song, path in named.items() if path is not None}

    def expect_some(self, songs: Iterable[Hashable]) -> None:
        """Refuse data whose songs are not named after files."""
        if not self.paths_of(songs):
            expected = "expected songs that are named by their path in that folder, such as jazz/so-what.mp3"
            raise InputError(f"none of the songs is a file in {one_line(self.folder.root)}; {expected}")

    def write(self, songs: Iterable[Hashable], titles: Mapping[Hashable, str]) -> None:
        """Write those of the songs that are in the folder, with the titles of the data or those in their tags."""
        wanted = list(songs)
        paths = self.paths_of(wanted)
        in_tags = {song: names_in_tags(path) for song, path in paths.items() if song not in titles}
        shown = {path: titles.get(song) or str(in_tags[song] or path.stem) for song, path in paths.items()}
        write_playlist(self.file, list(paths.values()), shown)
        there = f"{len(paths)} of these {len(wanted)} songs are in {one_line(self.folder.root)}"
        print(f"\n{there}, and in the playlist {one_line(self.file)}")
