"""Sequential: the chain rule, the summary, the file; and a first real network, which recognises handwritten digits."""

import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from forgery import forge
from nn_geometry import whole

from acai import gradcheck, nn
from acai.errors import InputError
from acai.reference import nn as reference


def small(dtype: type = np.float32) -> nn.Sequential:
    return nn.Sequential([
        nn.Conv2D(1, 2, (2, 3), padding=(0, 1), seed=1, dtype=dtype), nn.Tanh(), nn.MaxPool2D((1, 2)), nn.Dropout(0.5, seed=2),
        nn.GlobalPool(), nn.Linear(12, 4, seed=3, dtype=dtype), nn.ReLU(), nn.Linear(4, 3, seed=4, dtype=dtype),
    ])


def test_backward_is_the_chain_rule():
    network, x = small(np.float64), np.random.default_rng(0).normal(size=(3, 1, 3, 8))
    dy = whole(network.forward(x).shape, 1)
    dx = network.backward(dy)
    assert np.array_equal(dx, reference.backpropagation(network.layers, dy))


def test_the_chain_rule_sums_over_the_outputs_of_each_layer():
    network, x, dy = nn.Sequential([nn.Linear(3, 4, dtype=float), nn.ReLU()]), whole((1, 3), 1), whole((1, 4), 2)
    W = network.layers[0].params["W"]
    W[...] = whole(W.shape, 3)
    slopes = np.diag((network.forward(x)[0] > 0).astype(float))
    dx = reference.chain_rule(reference.chain_rule(dy[0], slopes), W)
    assert np.array_equal(network.backward(dy)[0], dx)
    entries = reference.chain_rule(dy[0] * slopes.diagonal(), np.kron(np.eye(4), x))  # of W, row by row
    assert np.array_equal(network.grads["0.W"].ravel(), entries)


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_network_is_exact(seed):
    network = nn.Sequential([
        nn.Conv2D(2, 3, (2, 2), padding=(0, 1), dtype=float), nn.ReLU(), nn.MaxPool2D((1, 2)), nn.Flatten(),
        nn.Linear(12, 2, dtype=float),
    ])
    report = gradcheck.check(network, (2, 2, 3, 4), method="exact", step=2.0**-8, seed=seed)
    assert report.ok and [finding.array for finding in report.findings] == ["x", "0.W", "0.b", "4.W", "4.b"], report


def test_a_smooth_network_by_richardson_and_by_the_complex_step():
    network = nn.Sequential([nn.Linear(4, 3, seed=0, dtype=float), nn.Tanh(), nn.Linear(3, 2, seed=1, dtype=float)])
    assert gradcheck.check(network, (3, 4)).method == "richardson"
    assert gradcheck.check(network, (3, 4)).ok
    report = gradcheck.check(network, (3, 4), method="complex")
    assert report.ok and report.max_error < 1e-13, report


def test_parameters_are_named_after_the_index_of_their_layer():
    network = small()
    assert list(network.params) == ["0.W", "0.b", "5.W", "5.b", "7.W", "7.b"]
    assert network.params["5.W"] is network.layers[5].params["W"]
    network.backward(network.forward(np.ones((2, 1, 3, 8), np.float32)))
    assert list(network.grads) == list(network.params)
    assert network.grads["5.W"] is network.layers[5].grads["W"]


def test_training_skips_dx_and_nothing_else():
    network, x = small(), np.random.default_rng(0).normal(size=(3, 1, 3, 8)).astype(np.float32)
    dy = network.forward(x)
    assert network.backward(dy) is not None
    grads = network.grads
    assert network.backward(dy, want_dx=False) is None
    assert all(np.array_equal(network.grads[name], grads[name]) for name in grads)
    relu_first = nn.Sequential([nn.ReLU()])
    relu_first.forward(x)
    assert relu_first.backward(x, want_dx=False) is None


def test_predict_skips_dropout_and_keeps_nothing():
    network, x = small(), np.ones((2, 1, 3, 8), np.float32)
    assert np.array_equal(network.predict(x), network.predict(x))
    with pytest.raises(InputError, match="no forward"):
        network.backward(network.predict(x))


class Double:
    """A layer as the README describes it: no base class, no params."""

    def __init__(self, two: object = 2) -> None:
        self.two = two

    def forward(self, x):
        return self.two * x

    def backward(self, dy):
        return self.two * dy


def test_a_layer_of_your_own_needs_no_base_class():
    network, x = nn.Sequential([Double(), nn.Linear(3, 2, seed=0, dtype=float)]), np.ones((2, 3))
    assert np.array_equal(network.predict(x), network.forward(x))
    assert network.backward(np.ones((2, 2))).shape == (2, 3)
    assert network.backward(np.ones((2, 2)), want_dx=False) is None
    with pytest.raises(InputError, match=r"^Double\(\) cannot be saved: a file holds layers of acai\.nn only"):
        network.save("never.npz")
    nn.SGD(network, 0.1).step()
    assert network.summary((3,)).splitlines()[2].split() == ["Double()", "(3,)"] and "    Double(),\n" in repr(network)


def test_a_layer_of_your_own_with_the_name_of_one_of_ours_is_not_saved_as_ours(tmp_path):
    class ReLU(nn.Tanh):
        pass

    with pytest.raises(InputError, match=r"^ReLU\(\) cannot be saved: a file holds layers of acai\.nn only"):
        nn.Sequential([ReLU()]).save(tmp_path / "network.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("state", "found"), [([1], "list"), (None, "NoneType"), ({}, "none"), ({"0": {}}, "0")])
def test_a_state_that_does_not_belong_to_the_network_is_refused(state, found):
    with pytest.raises(InputError, match=rf"^a state of the layers {found}; expected 1$"):
        nn.Sequential([nn.ReLU(), nn.Dropout(0.5, seed=0)]).set_state(state)


@pytest.mark.parametrize("up", ["forward", "predict"])
def test_a_layer_that_changes_the_dtype_is_blamed_itself(up):
    network = nn.Sequential([nn.Linear(3, 2, seed=0), Double(np.array([2.0])), nn.Linear(2, 2, seed=0)])
    with pytest.raises(InputError, match=r"^Double\(\)\.forward makes float64 of an x that is float32; expected float32"):
        getattr(network, up)(np.ones((1, 3), np.float32))
    network.layers[1].forward = lambda x: None
    with pytest.raises(InputError, match=r"^Double\(\)\.forward makes NoneType"):
        getattr(network, up)(np.ones((1, 3), np.float32))


def with_params(scale):
    layer = Double()
    layer.params, layer.grads = {"scale": scale}, {}
    return layer


@pytest.mark.parametrize("layer, message", [
    (nn.ReLU, r"^ReLU is a class; expected a layer of it, as in ReLU\(…\)"),
    (nn.MSE(), r"^MSE\(\)\.forward: missing a required argument: 'target'"),
    (3, "^3 is not a layer"),
    (with_params([2.0]), r"^Double\(\): params\['scale'\] is \[2\.0\]; expected an array of floats, which can learn in place"),
    (with_params(np.array([2])), r"^Double\(\): params\['scale'\] is array\(\[2\]\); expected an array of floats"),
])
def test_what_is_not_a_layer_is_refused_at_once(layer, message):
    with pytest.raises(InputError, match=message):
        nn.Sequential([nn.Linear(2, 2), layer])


def test_summary_has_shapes_and_parameters():
    text = small().summary((1, 3, 8))
    assert text.splitlines()[1].split() == ["input", "(1,", "3,", "8)"]
    conv = "Conv2D(in_channels=1, out_channels=2, kernel_size=(2, 3), padding=(0, 1))"
    assert text.splitlines()[2] == f"{conv:<73}  (2, 2, 8)                     14"
    assert text.splitlines()[-1].split() == ["all", "81"]
    html = text._repr_html_()
    assert html.count("<tr>") == len(text.splitlines()) == 11 and "(2, 2, 8)</td>" in html and ">14</td>" in html
    with pytest.raises(InputError, match=r"expected \(N, 1, H, W\)"):
        small().summary((2, 3, 8))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_network_comes_back_as_it_was(tmp_path, dtype):
    network, x = small(dtype), np.random.default_rng(0).normal(size=(3, 1, 3, 8)).astype(dtype)
    network.save(tmp_path / "deep" / "network.npz")
    loaded = nn.load(tmp_path / "deep" / "network.npz")
    assert repr(loaded) == repr(network)
    assert all(np.array_equal(loaded.params[name], w) and loaded.params[name].dtype == dtype for name, w in network.params.items())
    assert np.array_equal(loaded.predict(x), network.predict(x))
    assert np.array_equal(loaded.forward(x), network.forward(x))  # the seed of dropout is saved, too
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["network.npz"]


LINEAR = {"in_features": 40_000, "out_features": 40_000}


@pytest.mark.parametrize("change, message", [
    (lambda a, v: v.pop("layers"), "it holds no 'layers'"),
    (lambda a, v: v.update(layers="ReLU"), "layers is 'ReLU', str; expected tuple"),
    (lambda a, v: v["layers"].append(["ReLU"]), r"layer 8 is \('ReLU',\); expected its name and its arguments"),
    (lambda a, v: v["layers"][5].__setitem__(0, "Lineal"), "no layer 'Lineal'; there is: Linear"),
    (lambda a, v: v["layers"][5].__setitem__(0, []), r"no layer \(\)"),
    (lambda a, v: v["layers"][5][1].update(depth=3), "layer 5, Linear: got an unexpected keyword argument 'depth'"),
    (lambda a, v: v["layers"][5][1].pop("in_features"), "missing a required argument: 'in_features'"),
    (lambda a, v: v["layers"][5][1].update(LINEAR), r"5\.W is \(4, 12\) float32; expected \(40000, 40000\)"),
    (lambda a, v: v["layers"][5][1].update(in_features=2.0), "in_features=2.0; expected an integer"),
    (lambda a, v: v["layers"][5][1].update(in_features=10**30), "expected an integer"),
    (lambda a, v: v["layers"][5][1].update(dtype="(9,9)f4"), "dtype='\\(9,9\\)f4'; expected float32 or float64"),
    (lambda a, v: v["layers"][5][1].update(dtype="no type"), "dtype='no type'; expected float32 or float64"),
    (lambda a, v: v["layers"][0][1].update(dtype=[]), r"dtype=\(\); expected float32 or float64"),
    (lambda a, v: v["layers"][5][1].update(seed=-1), "seed=-1; expected an integer, at least 0"),
    (lambda a, v: v["layers"][5][1].update(seed="x"), "seed='x'; expected an integer, at least 0"),
    (lambda a, v: v["layers"][5][1].update(init={}), "no initialisation {}"),
    (lambda a, v: v["layers"][0][1].update(kernel_size=[9, 9]), r"0\.W is \(2, 1, 2, 3\) float32; expected \(2, 1, 9, 9\)"),
    (lambda a, v: v["layers"][0][1].update(kernel_size={}), "kernel_size={}; expected an integer"),
    (lambda a, v: v["layers"].append(["Dropout", {"rate": "x"}]), "rate='x'; expected a finite number"),
    (lambda a, v: v["layers"].append(["GlobalPool", {"kinds": 3}]), "kinds=3; expected a list of summaries"),
    (lambda a, v: v["layers"].append(["MaxPool2D", {"pool_size": None}]), "pool_size=None; expected an integer"),
    (lambda a, v: a.pop("5.W"), "it holds no array '5.W'"),
    (lambda a, v: a.pop("5.b"), "it holds no array '5.b'"),
    (lambda a, v: a.update({"5.W": a["5.W"].T}), r"5\.W is \(12, 4\) float32; expected \(4, 12\) float32"),
    (lambda a, v: a.update({"5.W": a["5.W"].astype(float)}), r"5\.W is \(4, 12\) float64; expected \(4, 12\) float32"),
    (lambda a, v: a["5.b"].fill(np.nan), "5.b holds NaN or infinity"),
])
def test_a_file_that_is_not_a_network_is_refused_before_anything_is_created(tmp_path, change, message):
    path = tmp_path / "network.npz"
    small().save(path)
    with pytest.raises(InputError, match=rf"network\.npz: not a network saved by acai: .*{message}"):
        nn.load(forge(path, change))


@pytest.mark.parametrize("padding", [10**4, 10**9, 2**62])
def test_huge_padding_in_a_file_takes_no_memory(tmp_path, padding):
    for layer, arguments in (nn.Conv2D(1, 1, 1, seed=0), {}), (nn.MaxPool2D(1), {"pool_size": padding + 1, "stride": 1}):
        nn.Sequential([layer]).save(tmp_path / "network.npz")
        forge(tmp_path / "network.npz", lambda a, v, more=arguments: v["layers"][0][1].update(padding=padding, **more))
        network = nn.load(tmp_path / "network.npz")
        tracemalloc.start()
        with pytest.raises(InputError, match=r"forward: x has shape \(1, 1, 3, 3\), and [\d,]+ numbers with its padding"):
            network.predict(np.ones((1, 1, 3, 3), np.float32))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**20


def test_a_file_that_is_missing_or_not_an_archive_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        nn.load(tmp_path / "nothing.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(InputError, match="not a network saved by acai"):
        nn.load(tmp_path / "text.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(InputError, match="not a network saved by acai"):
        nn.load(tmp_path / "array.npy")


def test_importing_the_network_loads_neither_numba_nor_matplotlib():
    heavy = "numba librosa matplotlib threadpoolctl"
    code = f"import sys, acai.nn, acai.gradcheck; print([m for m in {heavy!r}.split() if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_training_gives_the_same_bits_on_any_number_of_threads(monkeypatch):
    def trained(threads: int) -> dict[str, np.ndarray]:
        monkeypatch.setattr("acai.threads.n_threads", lambda: threads)
        rng = np.random.default_rng(0)
        network = nn.Sequential([
            nn.Conv2D(1, 8, (16, 4), seed=1), nn.ReLU(), nn.MaxPool2D((1, 4)), nn.Conv2D(8, 8, (1, 4), seed=2), nn.ReLU(),
            nn.GlobalPool(), nn.Linear(24, 5, seed=3),
        ])
        loss, sgd = nn.MSE(), nn.SGD(network, 0.01)
        x, target = rng.normal(size=(32, 1, 16, 200)).astype(np.float32), rng.normal(size=(32, 5)).astype(np.float32)
        for _ in range(5):
            loss.forward(network.forward(x), target)
            network.backward(loss.backward(), want_dx=False)
            sgd.step()
        return network.params

    alone, together = trained(1), trained(4)
    assert all(np.array_equal(alone[name], together[name]) for name in alone)


def test_it_learns_to_read_digits():
    digits = pytest.importorskip("sklearn.datasets", reason="the digits come with scikit-learn, of the extra `test`").load_digits()
    x, target = digits.images[:, None] / 8 - 1, digits.target  # in float64, or the order of sums decides a digit or two
    rng = np.random.default_rng(0)
    order = rng.permutation(len(x))
    test, train = order[:360], order[360:]
    network = nn.Sequential([
        nn.Conv2D(1, 16, 3, padding=1, seed=1, dtype=float), nn.ReLU(),
        nn.Conv2D(16, 32, 3, padding=1, seed=2, dtype=float), nn.ReLU(), nn.MaxPool2D(2),
        nn.Dropout(0.3, seed=3), nn.Flatten(), nn.Linear(512, 64, seed=4, dtype=float), nn.ReLU(),
        nn.Dropout(0.3, seed=5), nn.Linear(64, 10, seed=6, dtype=float),
    ])
    loss, sgd = nn.SoftmaxCrossEntropy(), nn.SGD(network, 0.03, weight_decay=1e-4, decay=1 / 300)
    started = time.perf_counter()
    for _ in range(15):
        for batch in np.array_split(rng.permutation(train), 45):
            loss.forward(network.forward(x[batch]), target[batch])
            network.backward(loss.backward(), want_dx=False)
            sgd.step()
    accuracy = (network.predict(x[test]).argmax(axis=1) == target[test]).mean()
    print(f"{accuracy:.2%} of 360 held-out digits after {time.perf_counter() - started:.1f} s")
    assert accuracy >= 0.985
