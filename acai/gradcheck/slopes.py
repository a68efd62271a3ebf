"""The slope of `forward`: by central differences with Richardson's extrapolation, each with how far it may be off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Line = Callable[[float], np.ndarray]  # t ↦ y, where t is how far something has been moved
STEPS = (2.0**-4, 2.0**-8, 2.0**-12, 2.0**-17, 2.0**-22)
SMALL_STEPS = (2.0**-9, 2.0**-14, 2.0**-19)  # at which a claim is tried; at a smaller one there are fewer kinks and more rounding


@dataclass(frozen=True)
class Slope:
    """A slope, how far it may be off, and whether there is a kink instead.

    Attributes
    ----------
    value, uncertainty : float
    is_kink : bool
        Whether the slopes on the two sides differ however small the step.
    """

    value: float
    uncertainty: float
    is_kink: bool = False


@dataclass(frozen=True)
class Claim:
    """A slope that somebody claims, and how far it may be off."""

    value: float
    tolerance: float


def confirmed(line: Line, dy: np.ndarray, middle: np.ndarray, claim: Claim, size: float = 1.0) -> Slope | None:
    """Confirm a claimed slope of ⟨dy, y⟩ by two central differences, where measuring it would take four or more.

    Two numbers that come from different code and agree in nine digits are both right: for that, one step of Richardson's
    extrapolation is enough. Where they do not agree nothing is said, and the slope has to be measured.

    Parameters
    ----------
    line, dy, size
        As for `richardson`.
    middle : ndarray
        y where nothing is moved.
    claim : Claim
        The slope that is claimed. Only a small part of its tolerance is used.

    Returns
    -------
    Slope or None
    """
    epsilon = np.finfo(middle.dtype).eps
    for fraction in SMALL_STEPS:
        h = size * fraction
        up, down, half_up, half_down = line(h), line(-h), line(h / 2), line(-h / 2)
        change, half_change = up - down, half_up - half_down
        slope = float((dy * change).sum(dtype=float)) / (2 * h)
        half_slope = float((dy * half_change).sum(dtype=float)) / h
        value = (4 * half_slope - slope) / 3
        noise = 4 * epsilon * float((np.abs(dy * middle) * ((change != 0) | (half_change != 0))).sum(dtype=float)) / h
        gap = abs(value - claim.value)
        if gap <= 0.01 * claim.tolerance + noise and (claim.value == 0 or 1e4 * (gap + noise) < abs(value)):
            bend = abs(float((dy * (up + down - 2 * middle)).sum(dtype=float)))
            half_bend = abs(float((dy * (half_up + half_down - 2 * middle)).sum(dtype=float)))
            if half_bend > 0.375 * bend and half_bend > 1e-4 * h * abs(value) and half_bend > 8 * noise * h:
                return None  # a kink, whose two slopes have the claimed one for their mean
            return Slope(value, gap + noise)
        if abs(half_slope - slope) <= 1e-3 * abs(slope):
            return None  # it is smooth here, and a smaller step would say the same
    return None


@np.errstate(all="ignore")
def richardson(  # noqa: PLR0914 - the triangle, its columns and their errors
    line: Line, dy: np.ndarray, size: float = 1.0, first: int = 0, enough: float = 0.0, middle: np.ndarray | None = None
) -> Slope:
    """Measure the slope of ⟨dy, y⟩ at t = 0 by central differences, extrapolated to step zero (Richardson 1911).

    Differences over h, h/2, h/4 and h/8 err by series in h²; each column of the triangle removes one more power. The
    first step is made smaller until two estimates agree, so that a kink nearby stays outside. What rounding may have
    done is estimated from the outputs that changed.

    Parameters
    ----------
    line : callable
        y once something has been moved by t.
    dy : ndarray
        The upstream gradient.
    size : float
        How large what is moved is: steps are fractions of it.
    first : int
        Which of STEPS to begin with.
    enough : float
        An uncertainty that is small enough: no smaller step is tried then.
    middle : ndarray, optional
        y where nothing is moved, if it is known.
    """
    middle = line(0.0) if middle is None else middle
    epsilon = np.finfo(middle.dtype).eps
    best, least, kink, tried = 0.0, np.inf, False, []
    for fraction in STEPS[first:]:
        steps = size * fraction / 2.0 ** np.arange(4)
        ups, downs = [line(step) for step in steps], [line(-step) for step in steps]
        row = np.array([(dy * (up - down)).sum(dtype=float) for up, down in zip(ups, downs)]) / (2 * steps)
        changed = sum(np.abs(up - down) for up, down in zip(ups, downs)) > 0
        noise = 2 * epsilon * (np.abs(dy) * np.abs(middle) * changed).sum(dtype=float) / steps[3]
        diagonal = [row[3]]
        for m in (1, 2, 3):
            before, row = row, (4**m * row[1:] - row[:-1]) / (4**m - 1)
            diagonal.append(row[-1])
        error = max(abs(row[0] - before[1]), abs(before[1] - before[0]) / 64) + noise
        tried.append((row[0], error))
        if not error >= least:
            best, least = row[0], error
            bends = [abs((dy * (up + down - 2 * middle)).sum(dtype=float)) / h for up, down, h in zip(ups, downs, steps)]
            # At a kink the slopes of the two sides differ by as much however small the step; on a curve, by half as much.
            # Less than 1e-4 of the slope or of the output may be rounding.
            whole = abs((dy * middle).sum(dtype=float))
            kink = bends[3] > max(0.75 * bends[2], 1e-4 * max(abs(best), whole, 1e-300))
        if least <= max(1e-12 * abs(best), enough) or noise > least / 2:  # smaller steps would be rounded more
            break
    # Where numbers inside are rounded to a staircase, small steps see a single stair: flat, or straight, and wrong.
    for value, error in tried:
        gap = abs(value - best)
        if error <= 0.1 * abs(value) and gap > least + 10 * error:
            least = gap
    return Slope(float(best), float(least), bool(kink))


def complex_step(line: Callable[[complex], np.ndarray], dy: np.ndarray) -> Slope:
    """Measure the slope by one imaginary step (Squire and Trapp 1998): f(w + ih) = f(w) + ih f'(w), without a difference.

    So the step may be as small as it likes, and nothing but rounding is lost.
    """
    y = line(1e-30j)
    if y.dtype.kind != "c":
        return Slope(float("nan"), 0.0)
    return Slope(float((dy * y).sum().imag / 1e-30), 0.0)
