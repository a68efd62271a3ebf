"""The same numbers from an independent implementation: PyTorch, of the extra `bench`.

Errors are relative to the size of what was added up, Σ|terms|, which PyTorch computes from the absolute values: where a sum
cancels to almost nothing, neither side has digits left that could be compared.
"""

from functools import partial

import numpy as np
import pytest

from acai import nn

torch = pytest.importorskip("torch", reason="compares with PyTorch, of the extra `bench`")
F = torch.nn.functional
N_GEOMETRIES = 200
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch's threads, spinning, would slow down everything after them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def agree(ours, theirs, dtype, of: str, terms=None) -> None:
    theirs, terms = (a.detach().numpy() for a in (theirs, theirs if terms is None else terms))
    assert ours.shape == theirs.shape and ours.dtype == dtype, of
    error = np.abs(ours - theirs).max(initial=0) / max(np.abs(terms).max(initial=0), 1e-30)
    assert error <= TOLERANCE[dtype], f"{of}: {error}"


def compare(layer, function, x, dtype, rng, of: str) -> None:
    """y, dx and the parameters' gradients of `layer`, and of `function(x, *parameters)` in PyTorch."""
    y = layer.forward(x)
    dy = rng.normal(size=y.shape).astype(dtype)
    arrays = [x, *layer.params.values()]
    theirs, terms = [], []
    for into, change in ((theirs, np.array), (terms, np.abs)):
        tensors = [torch.tensor(change(a), requires_grad=True) for a in arrays]
        ty = function(*tensors)
        ty.backward(torch.tensor(change(dy)))
        into += [ty, *(tensor.grad for tensor in tensors)]
    ours = [y, layer.backward(dy), *(layer.grads[name] for name in layer.params)]
    for name, *values in zip(["y", "dx", *(f"d{name}" for name in layer.params)], ours, theirs, terms):
        agree(values[0], values[1], dtype, f"{of} {name}", values[2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_agree_over_random_geometries(dtype):
    rng = np.random.default_rng(0)
    for k in range(N_GEOMETRIES):
        N, C, O = rng.integers(1, 5, 3).tolist()
        kernel, stride = tuple(rng.integers(1, 5, 2).tolist()), tuple(rng.integers(1, 4, 2).tolist())
        padding = tuple(int(rng.integers(0, 3)) for _ in kernel)
        H, W = (max(1, n - 2 * p) + int(rng.integers(0, 12)) for n, p in zip(kernel, padding))
        x = rng.normal(size=(N, C, H, W)).astype(dtype)
        conv = nn.Conv2D(C, O, kernel, stride, padding, seed=k, dtype=dtype)
        conv.params["b"][...] = rng.normal(size=O)
        compare(conv, partial(F.conv2d, stride=stride, padding=padding), x, dtype, rng, str(conv))

        half = tuple(min(p, n // 2) for p, n in zip(padding, kernel))  # PyTorch allows no more
        if all(n + 2 * p >= s for n, p, s in zip((H, W), half, kernel)):
            pool = nn.MaxPool2D(kernel, stride, half)
            their_pool = partial(F.max_pool2d, kernel_size=kernel, stride=stride, padding=half)
            compare(pool, their_pool, x, dtype, rng, str(pool))
        compare(nn.ReLU(), F.relu, x, dtype, rng, "ReLU")
        compare(nn.Tanh(), torch.tanh, x, dtype, rng, "Tanh")
        compare(nn.Flatten(), lambda x: x.flatten(1), x, dtype, rng, "Flatten")
        pool = nn.GlobalPool()
        summaries = lambda x: torch.stack([x.mean(3), x.amax(3), (x * x).mean(3).sqrt()], 1).flatten(1)
        compare(pool, summaries, x, dtype, rng, str(pool))
        linear = nn.Linear(C * H * W, O, seed=k, dtype=dtype)
        linear.params["b"][...] = rng.normal(size=O)
        compare(linear, F.linear, x.reshape(N, -1), dtype, rng, str(linear))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_agree_over_random_sizes(dtype):
    rng = np.random.default_rng(1)
    for _ in range(N_GEOMETRIES):
        shape = tuple(rng.integers(1, 20, 2).tolist())
        y, target = rng.normal(0, 3, shape).astype(dtype), rng.normal(size=shape).astype(dtype)
        classes = rng.integers(0, shape[1], shape[0])
        for loss, theirs, t in ((nn.MSE(), F.mse_loss, target), (nn.SoftmaxCrossEntropy(), F.cross_entropy, classes)):
            ty = torch.tensor(y, requires_grad=True)
            value = theirs(ty, torch.tensor(t))
            value.backward()
            assert loss.forward(y, t) == pytest.approx(value.item(), rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])
            agree(loss.backward(), ty.grad, dtype, str(loss))


@pytest.mark.parametrize("nesterov", [False, True])
def test_fifty_steps_of_sgd_follow_the_same_path(nesterov):
    rng = np.random.default_rng(2)
    ours = nn.Sequential([
        nn.Conv2D(1, 4, (5, 3), seed=1, dtype=float), nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Conv2D(4, 6, (1, 3), seed=2, dtype=float),
        nn.Tanh(), nn.Flatten(), nn.Linear(24, 3, seed=3, dtype=float),
    ])
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, (5, 3)), torch.nn.ReLU(), torch.nn.MaxPool2d((1, 2)), torch.nn.Conv2d(4, 6, (1, 3)),
        torch.nn.Tanh(), torch.nn.Flatten(), torch.nn.Linear(24, 3),
    ).double()
    with torch.no_grad():
        for parameter, w in zip(theirs.parameters(), ours.params.values()):
            parameter.copy_(torch.tensor(w))
    weights = [p for name, p in theirs.named_parameters() if name.endswith("weight")]
    biases = [p for name, p in theirs.named_parameters() if name.endswith("bias")]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": biases, "weight_decay": 0.0}]
    their_sgd = torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=nesterov)
    loss, our_sgd = nn.MSE(), nn.SGD(ours, 0.05, momentum=0.9, weight_decay=0.01, nesterov=nesterov)
    for step in range(50):
        x, target = rng.normal(size=(8, 1, 5, 14)), rng.normal(size=(8, 3))
        our_loss = loss.forward(ours.forward(x), target)
        ours.backward(loss.backward(), want_dx=False)
        our_sgd.step()
        their_sgd.zero_grad()
        their_loss = F.mse_loss(theirs(torch.tensor(x)), torch.tensor(target))
        their_loss.backward()
        their_sgd.step()
        assert our_loss == pytest.approx(their_loss.item(), rel=1e-11), step
    for (name, w), parameter in zip(ours.params.items(), theirs.parameters()):
        np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
