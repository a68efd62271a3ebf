"""The report page: whole in itself, and what it shows is what was measured."""

import base64
import html
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from music_files import PNG

from acai import plots
from acai.audio import log_mel
from acai.content import AudioToFactors
from acai.datasets import synthetic
from acai.report.page import Page, Song, network_sections, picture, section, table
from acai.report.song_map import Group, song_map

WORLD = synthetic(60, 30, seconds=4)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    spectrograms = WORLD.spectrograms()
    ear = AudioToFactors(n_epochs=2).fit(spectrograms, WORLD.features)
    path = tmp_path_factory.mktemp("report") / "new" / "report.html"
    sections = table("Results", ("", "AUC"), [("the network", "0.8432")])
    sections += picture(plots.ladder({"chance": 0.5, "the network": 0.8432}), "How well it goes.", 'Bars: "<0.84>".')
    sections += network_sections(ear, spectrograms[2], "<third>")
    names = [f"<song {i}>" for i in range(WORLD.plays.n_songs)]
    groups = [Group("others", "#bbb", range(3, 30), [3.0] * 27), Group("played", "#00f", [0, 1, 2], [4.0] * 3)]
    sections += section("A map", song_map(WORLD.features, names, groups))
    played = [Song("song-0001", "<i>First</i>", "first")]
    new = [Song("song-0002", "Second", "second", ("image/png", PNG)), Song("song-0003", "Third", "third")]
    Page("A world & its songs", "SYNTHETIC", "listener-0001 likes <b>all</b>", played, new, WORLD.sound, sections).write(path)
    return path


def test_needs_nothing_beside_it_and_no_network(report):
    page = report.read_text()
    assert set(re.findall(r"""(?:src|href)=["']([a-z]+):""", page)) == {"data"}
    assert "http" not in page and "<script" not in page
    assert [p.name for p in report.parent.iterdir()] == ["report.html"]


def test_what_was_said_is_there_and_markup_in_it_is_only_text(report):
    page = report.read_text()
    assert "&lt;i&gt;First&lt;/i&gt;" in page and "of &lt;third&gt;" in page
    for words in "A world &amp; its songs", "&lt;b&gt;all&lt;/b&gt;", "<td>the network</td><td>0.8432</td>", "SYNTHETIC":
        assert words in page
    assert page.count("<figure>") == 6


def test_every_picture_says_what_is_to_be_seen_on_it(report):
    page = report.read_text()
    quoted = re.findall(r"""<img[^>]*? alt=(?:"([^"]*)"|'([^']*)')""", page)
    described = [html.unescape(text) for pair in quoted for text in pair if text]
    assert len(described) == page.count("<img") == 6 and {'Bars: "<0.84>".', "Cover of Second"} < {*described}
    assert "aria-label='A map with a dot for each song: 27 others, 3 played'" in page and page.count("<svg") == 1


def test_the_players_play_the_songs(report):
    sounds = re.findall(r"src='data:audio/mpeg;base64,([^']+)'", report.read_text())
    heard = []
    for sound in sounds:
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound)))
        S = log_mel((samples, rate))
        distance = [np.abs(S[:, :160] - own[:, :160]).mean() for own in WORLD.spectrograms()]
        heard.append(WORLD.plays.songs[int(np.argmin(distance))])
    assert heard == ["song-0001", "song-0002", "song-0003"]  # mp3 changes the samples, but of all songs they are these


def test_the_map_has_a_named_dot_for_each_song_within_the_drawing(report):
    page = report.read_text()
    dots = re.findall(r"<circle cx='([\d.]+)' cy='([\d.]+)' r='[\d.]+' fill='#\w+' fill-opacity='.75'><title>([^<]*)</title>", page)
    assert len(dots) == 30 and {name for *_, name in dots} == {f"&lt;song {i}&gt;" for i in range(30)}
    assert all(0 < float(x) < 640 and 0 < float(y) < 440 for x, y, _ in dots)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_map_of_few_songs_or_of_songs_that_sound_the_same(n):
    drawing = song_map(np.ones((n, 4)), ["a"] * n, [Group("all", "#000", range(n), [1.0] * n)])
    assert "nan" not in drawing and drawing.count("<title>") == n


def test_covers_are_shown_and_columns_stack(report):
    page = report.read_text()
    assert page.count("<img class=cover") == 1 and base64.b64encode(PNG).decode() in page
    assert "repeat(auto-fit" in page and "<meta name=viewport" in page


def test_a_page_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", lambda self, *_, **__: self.write_bytes(b"<html>") / None)
    with pytest.raises(TypeError):
        Page("x", "", "", [], [Song("song-0000", "", "")], WORLD.sound).write(tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_a_real_browser_shows_it_and_can_play_every_song(report):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs a Chromium to open the page in; none is installed")
    page = report.read_text()
    probe = """<script>
      const media = [...document.querySelectorAll('audio')];
      const images = [...document.images];
      Promise.all(media.map(a => new Promise(done => { if (a.readyState > 0) done(a.duration);
        a.onloadedmetadata = () => done(a.duration); a.onerror = () => done(-1); a.load(); }))).then(seconds => {
          const pictures = images.filter(i => i.complete && i.naturalWidth > 100).length;
          document.title = 'seconds ' + seconds.map(s => Math.round(s)).join(',') + ' pictures ' + pictures; });
    </script>"""
    probed = report.with_name("probed.html")
    probed.write_text(page + probe)
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update"
    command = [browser, *options.split(), "--disable-sync", f"--user-data-dir={report.parent / 'profile'}"]
    run = subprocess.run(
        [*command, "--virtual-time-budget=20000", "--dump-dom", probed.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert "<title>seconds 4,4,4 pictures 5</title>" in run.stdout, run.stdout[:300] + run.stderr[-2000:]
