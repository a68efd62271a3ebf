"""Whether a gradient is right, by central differences in float64 at three normal points: nothing here is shared with the check."""

import copy

import numpy as np

NORMALISED = ("gamma", "beta")
OWNED = {  # the parameters of layers that keep them as attributes
    "Dense": ("W", "b"), "Residual": ("W",), "Highway": ("W", "V"), "ScaleShift": NORMALISED, "BatchNorm": NORMALISED,
    "LayerNorm": NORMALISED,
}


def arrays_of(network):
    """Every parameter of a network of the zoo, with the function that gives its gradient after `backward`."""
    found = []
    for layer in network.layers:
        if hasattr(layer, "params"):
            for key in layer.params if isinstance(layer.params, dict) else range(len(layer.params)):
                found.append((layer.params[key], lambda layer=layer, key=key: layer.grads[key]))
        else:
            for name in OWNED.get(type(layer).__name__, ()):
                found.append((getattr(layer, name), lambda layer=layer, name=name: getattr(layer, f"d{name}")))
    return found


def objective(network, x, dy, target, mask):
    np.random.seed(mask)  # dropout draws the same mask every time
    y = network.forward(x) if target is None else network.forward(x, target)
    return float(np.sum(dy * y))


def is_right(network, shape, target=None, seed=0):
    """True or False; None where differences are too rough to tell."""
    told = [_at_one_point(copy.deepcopy(network), shape, target, (seed, k, size)) for k, size in enumerate((1.0, 0.3, 4.0))]
    return False if False in told else None if None in told else True


def _at_one_point(network, shape, target, which):
    rng = np.random.default_rng([77, *which[:2]])
    x = which[2] * rng.normal(size=shape)
    for w, _ in arrays_of(network):
        w[...] = rng.normal(size=w.shape)
    y = np.asarray(network.forward(x) if target is None else network.forward(x, target))
    dy = rng.normal(size=y.shape) if target is None else np.ones(())
    mask = 5 + which[0]
    objective(network, x, dy, target, mask)
    dx = network.backward(dy) if target is None else network.backward()
    pairs = [(x, dx), *((w, gradient()) for w, gradient in arrays_of(network))]
    told = [_agrees(w, np.array(dw), lambda: objective(network, x, dy, target, mask)) for w, dw in pairs]
    return False if False in told else None if None in told else True


def _agrees(w, dw, f):
    if dw.shape != w.shape:
        return False
    slopes = []
    for h in (1e-5, 3e-6):
        slope = np.zeros(w.shape)
        for at in np.ndindex(w.shape):
            kept = w[at]
            w[at] = kept + h
            up = f()
            w[at] = kept - h
            slope[at] = (up - f()) / (2 * h)
            w[at] = kept
        slopes.append(slope)
    rough = np.abs(slopes[0] - slopes[1])
    error = np.minimum(np.abs(dw - slopes[0]), np.abs(dw - slopes[1]))
    size = np.abs(slopes[1]) + 1e-3 * np.abs(slopes[1]).max() + 1e-7 * max(abs(f()), 1.0)
    if (error > 1e-2 * size + 10 * rough).any():
        return False
    return None if (error > 1e-4 * size + 10 * rough).any() or not np.isfinite(dw).all() else True
