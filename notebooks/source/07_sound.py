# %% [markdown]
# # 07 · Sound
#
# **The question:** a network can look at pictures. How does one make a picture of a sound, such that what the ear tells
# apart, the picture tells apart, too?
#
# From air pressure to the log-mel spectrogram, one step after another, with something to hear at each; then filters
# that listen to it. Equations (A1), (A2) are those of the [README](../README.md), part A; the code is `acai/audio/spectrogram.py`.

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Audio

from acai import audio, nn, plots
from acai.datasets.synthetic import FEATURES, render
from acai.teaching.exercises import check, exercises, hint

RATE = 22050  # samples a second

exercises("07")

# %% [markdown]
# ## A sound is a row of numbers
#
# 22,050 times a second somebody writes down how far the air is pushed. That is all. This song is made up by `render`:
# chords over a drum, shaped by seven numbers that we come to below. (Songs of your own work as well: wherever a sound
# goes in, the path of a wav, flac, ogg or mp3 file may stand.)

# %%
features = np.array([0.4, 0.0, -0.2, -0.3, -0.8, 0.3, -1.0])
song = render(features, 3.0, np.random.default_rng(4))
print(song.shape, song.dtype, song[:5])
Audio(song, rate=RATE)

# %%
fig, (whole, close) = plt.subplots(2, 1, figsize=(8, 3.6), layout="constrained")
plots.waveform(song, RATE, ax=whole).set_title("three seconds")
plots.waveform(song[15000:15882], RATE, 15000 / RATE, ax=close).set_title("forty thousandths of a second of them")
plt.show()

# %% [markdown]
# Above one sees *when* something is struck, but not what. Close up there is a pattern that repeats: a tone is nothing
# but air that swings, so many times a second (Hz). Which tones are in there? The eye cannot tell. The Fourier transform
# can.

# %% [markdown]
# ## One frame: which tones are in it
#
# Take a short piece, a **frame** of 1,024 samples, and ask for every frequency how much of it is in there:
#
# $$|X_f|^2 = \Big|\sum_n w_n x_n e^{-2\pi i f n / 1024}\Big|^2$$
#
# The weights w are **Hann's window**, $w_n = \tfrac12 - \tfrac12 \cos(2\pi n / 1024)$, which fades the frame in and
# out. Without it the frame begins and ends with a click, and a click has all frequencies in it: the grey line below.
# With it, the three tones of this chord stand free.

# %%
chord = sum(np.sin(2 * np.pi * tone * np.arange(1024) / RATE) for tone in (523, 1319, 2093))  # three tones


def hann(window):
    """Hann's window of so many samples."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)


hertz = np.fft.rfftfreq(1024, 1 / RATE)  # the frequencies, from 0 to half the rate
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
plots.waveform(chord * hann(1024), RATE, ax=left).set_title("a frame of a chord, faded in and out")
for x, colour, name in ((chord, "0.7", "without a window"), (chord * hann(1024), plots.BLUE, "with Hann's window")):
    right.plot(hertz, 10 * np.log10(np.abs(np.fft.rfft(x)) ** 2), color=colour, label=name)
plots.axes(right).set(xlabel="frequency (Hz)", ylabel="power (dB)", xlim=(0, 5000), ylim=(-40, 70))
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ### Exercise `07-frame` (20 minutes)
# Frame t of (A1) is *centred* on sample t·hop: it begins at t·hop − window/2. What lies before the first or behind the
# last sample counts as 0. Weigh it by Hann's window as written above, and return the power of the frequencies 0 …
# window/2 (`np.fft.rfft` gives these).

# %% exercise="07-frame"
def power(x, t, window, hop):
    """x (n,) samples → |X_f|² of frame t, shape (window // 2 + 1,)."""
    ...


check("07-frame", power)

# %% solution="07-frame"
def power(x, t, window, hop):
    """x (n,) samples → |X_f|² of frame t, shape (window // 2 + 1,)."""
    padded = np.concatenate([np.zeros(window // 2), x, np.zeros(window)])
    w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.abs(np.fft.rfft(w * padded[t * hop : t * hop + window])) ** 2


check("07-frame", power)

# %% [markdown]
# ## Frame after frame: the spectrogram
#
# Move the frame on by a **hop** of 512 samples, and again, and put the spectra side by side: time to the right, pitch
# upwards, loud is bright. How long should a frame be? Short frames know *when*, long ones know *what*, and no frame
# knows both: a tone of 100 Hz needs a hundredth of a second to swing even once.

# %%
def spectra(window, highest=2000):
    """The spectra of frames of this length, one every 256 samples, up to so many Hz: (frequencies, frames)."""
    frames = np.concatenate(list(audio.frames([song[:RATE]], window, 256)))  # of the first second; (frames, window)
    X = np.fft.rfft(frames * hann(window))[:, : highest * window // RATE]
    return np.log1p(1e6 * np.abs(X.T / window) ** 2)


def pictured(window, ax=None):
    ax = plots.spectrogram(spectra(window), ax, hop=256, bar=False)
    ax.set(title=f"frames of {window} samples, {1000 * window / RATE:.0f} ms", ylabel="0 to 2,000 Hz", yticks=[])


fig, panels = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
for panel, window in zip(panels, (256, 1024, 4096)):
    pictured(window, panel)
plt.show()

# %% [markdown]
# With 12 ms one sees the air swing, but no tone by itself. With 186 ms each tone is a thin line, but when the second
# chord began is anybody's guess. acai takes the middle, 1,024 samples.
#
# In a notebook that runs, try other lengths.

# %% slider
from ipywidgets import SelectionSlider, interact

lengths = SelectionSlider(options=[256, 512, 1024, 2048, 4096, 8192], value=1024)


def show(window):
    pictured(window)


interact(show, window=lengths);

# %% [markdown]
# ## Mel: pitch as the ear hears it
#
# From 100 to 200 Hz is an octave; from 5,100 to 5,200 Hz one hears hardly a difference. The **mel scale** puts
# frequencies where the ear has them: even steps up to 1,000 Hz, even *ratios* above. On that scale (A1) lays 128
# triangles, equally far apart, and each sums up the power below it:
#
# $$S_{bt} = \sum_f F_{bf} |X_{ft}|^2$$
#
# So 513 frequencies become 128 bands, narrow ones below, wide ones above.

# %%
F = audio.mel_filters(RATE, 1024, 128).toarray()  # (128, 513)
plots.mel_bank(F, RATE, range(3, 128, 12))
plt.show()

# %% [markdown]
# What does one band *hear*? Take noise, which has all frequencies, and let through only what is under one triangle:
# band 20, band 60, band 110, one after the other.

# %%
noise = np.fft.rfft(np.random.default_rng(0).normal(size=RATE // 2))
f = np.fft.rfftfreq(RATE // 2, 1 / RATE)
heard = [np.fft.irfft(noise * np.interp(f, hertz, F[band] / F[band].max())) for band in (20, 60, 110)]
Audio(np.concatenate([x / np.abs(x).max() for x in heard]).astype(np.float32), rate=RATE)

# %% [markdown]
# ### Exercise `07-mel` (15 minutes)
# Slaney's scale: below 1,000 Hz a mel is 200/3 Hz, so that 1,000 Hz are 15 mel; above, 27 mel are a factor of 6.4.
# Write it for a whole array of frequencies.

# %% exercise="07-mel"
def mel(f):
    """f, frequencies in Hz → mel."""
    ...


check("07-mel", mel)

# %% solution="07-mel"
def mel(f):
    """f, frequencies in Hz → mel."""
    above = 15 + 27 * np.log(np.maximum(f, 1000) / 1000) / np.log(6.4)
    return np.where(f < 1000, f / (200 / 3), above)


check("07-mel", mel)

# %% [markdown]
# ## Log: loudness as the ear hears it
#
# Ten times the power does not sound ten times as loud, only a step louder. In the raw powers, left, one sees a few loud
# places and nothing else. The logarithm (A2) brings out the rest:
#
# $$L = \log(1 + C \cdot S), \qquad C = 10{,}000$$
#
# The 1 keeps silence at 0, where a bare logarithm would dive to −∞; and C says how strongly what is quiet is lifted.

# %%
S = audio.mel_power((song, RATE))  # (A1), (128, frames)
L = audio.log_mel((song, RATE))  # (A2)
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3), layout="constrained")
plots.spectrogram(S, left).set_title("S: power (A1)")
plots.spectrogram(L, right).set_title("L: its logarithm (A2)")
left.images[0].colorbar.set_label("power")
plt.show()

# %% [markdown]
# Now one can read it: lines are tones, and they wobble; upright strokes are drum hits; a chord begins where lines break
# off and others start.
#
# ### Exercise `07-log` (5 minutes)

# %% exercise="07-log"
def compressed(S, C):
    """(A2): powers S of any shape → their compressed logarithm."""
    return ...


check("07-log", compressed)

# %% solution="07-log"
def compressed(S, C):
    """(A2): powers S of any shape → their compressed logarithm."""
    return np.log(1 + C * S)


check("07-log", compressed)

# %% [markdown]
# ## What an average does not hear
#
# The made-up songs of acai have seven features, each from −1 to 1. Brightness, register and noise one hears in the
# *average* spectrum; tempo, tremor and beat live in time alone, and touch mostly: a note that rings longer is louder on
# average, too.

# %%
for name, (low, high) in FEATURES.items():
    print(f"{name:<11} −1: {low:<16} +1: {high}")

# %% [markdown]
# Here are two songs that differ in one thing: the first is slow, the second fast. Listen.

# %%
slow, fast = (render(np.array([0.4, 0, 0.2, tempo, -0.8, -0.5, -1]), 2.0, np.random.default_rng(2)) for tempo in (-0.9, 0.9))
Audio(slow, rate=RATE)

# %%
Audio(fast, rate=RATE)

# %%
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
L_slow, L_fast = (audio.log_mel((x, RATE)) for x in (slow, fast))
for x, panel, title in ((L_slow, left, "slow"), (L_fast, middle, "fast")):
    plots.spectrogram(x, panel, bar=False).set_title(title)
right.plot(L_slow.mean(axis=1), color=plots.BLUE, label="slow")
right.plot(L_fast.mean(axis=1), color=plots.ORANGE, label="fast")
plots.axes(right).set(title="average over time", xlabel="mel band", ylabel="L")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# The pictures have little in common, the averages nearly all. Whoever hears the average alone is deaf to tempo. That is
# why the network of notebook 08 looks at *windows of time*, and why it can beat a regression on averages.

# %% [markdown]
# ## What a filter hears
#
# A filter of the first layer is a convolution (N1) as tall as the spectrogram and four frames wide. It slides over time
# and answers, at each moment: *how much does this look like me?* Here are three made by hand. `onset` has −1 in its two
# earlier frames and +1 in the later ones: it answers when it gets louder. `low` and `high` wait for power in their
# bands.

# %%
layer = nn.Conv2D(1, 3, (128, 4))
W = layer.params["W"]  # (3, 1, 128, 4)
W[...] = 0
W[0, 0, :, :2], W[0, 0, :, 2:] = -1, 1
W[1, 0, 5:25], W[2, 0, 90:] = 1, 1
x = (L - L.mean(axis=1, keepdims=True)) / L.std(axis=1, keepdims=True)  # each band: mean 0, spread 1
A = nn.ReLU().forward(layer.forward(x[None, None].astype(np.float32)))[0, :, 0]  # (3, frames')

fig, panels = plt.subplots(4, 1, figsize=(9, 5.4), layout="constrained", sharex=True, height_ratios=(2, 1, 1, 1))
seconds = np.arange(A.shape[1]) * 512 / RATE
plots.spectrogram(L, panels[0], bar=False).set_xlabel("")
for panel, name, answer in zip(panels[1:], ("onset", "low", "high"), A):
    plots.axes(panel).fill_between(seconds, answer, color=plots.BLUE, lw=0)
    panel.set(ylabel=name, yticks=[])
panels[-1].set(xlabel="time (s)")
plt.show()

# %% [markdown]
# And now *listen* through it: the moments at which `onset` answers most, a fifth of a second each, one after another.
# Nothing but beginnings.

# %%
def moments(answer, n=8, length=RATE // 5):
    """The sound at the n strongest answers, strongest first, none of them overlapping."""
    found = []
    for t in np.argsort(-answer):
        if all(abs(t - other) * 512 > length for other in found):
            found.append(t)
    clips = [song[t * 512 : t * 512 + length] for t in sorted(found[:n])]
    return np.concatenate([clip * np.hanning(len(clip)) for clip in clips])  # each faded in and out


Audio(moments(A[0]), rate=RATE)

# %% [markdown]
# Nobody will make the filters of the network by hand: it finds them itself, by going down the gradient. But that is all
# they can do: a pattern, slid along time.
#
# ### Exercise `07-tempo` (an evening)
# Write `tempo(S)`, which tells from a log-mel spectrogram, (128, frames), frames 512/22050 s apart, how many chords a
# minute a song has. It is between 80 and 200. Asked for: within 4% of the truth for three songs out of four, of
# sixteen that the check makes up. Whoever always says 126 gets three right.

# %% exercise="07-tempo"
def tempo(S):
    """S (128, frames), a log-mel spectrogram → chords a minute, 80 to 200."""
    ...


check("07-tempo", tempo)

# %% solution="07-tempo"
def tempo(S):
    """S (128, frames), a log-mel spectrogram → chords a minute, 80 to 200."""
    onset = np.maximum(np.diff(S, axis=1), 0).sum(axis=0)  # how much louder it gets, all bands together
    onset = (onset - onset.mean()) * np.hanning(len(onset))
    strength = np.abs(np.fft.rfft(onset, 16384))  # zeros behind it: a finer grid of frequencies
    per_minute = 60 * np.fft.rfftfreq(16384, 512 / 22050)
    asked = np.linspace(80, 200, 601)
    return asked[sum(np.interp(k * asked, per_minute, strength) for k in (1, 2, 3, 4)).argmax()]  # a beat has overtones


check("07-tempo", tempo)

# %% [markdown]
# ## What to read next
#
# * [`acai/audio/spectrogram.py`](../acai/audio/spectrogram.py): this notebook for files of any length, read block by block.
#   `acai features FOLDER` does it to your own music.
# * [`acai/audio/recording.py`](../acai/audio/recording.py): what can be wrong with a sound file, and how each flaw is named.
# * **[Notebook 08](08_the_whole.ipynb)**: the network listens, and a song that nobody has played finds its listeners.
