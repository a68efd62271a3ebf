"""The command `acai gradcheck`: the scoreboard, a layer of one's own, and what it says of mistakes."""

import inspect
import json

import numpy as np
import pytest

from acai import cli, nn
from acai.teaching.zoo import hunting


class Leaky:
    def __init__(self, slope: float, back: float | None = None) -> None:
        self.slope, self.back = slope, slope if back is None else back

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy):
        return np.where(self.x > 0, dy, self.back * dy)


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["gradcheck", *arguments])
    return end.value.code, *capsys.readouterr()


def test_the_command_prints_the_scoreboard(capsys):
    code, out, _ = run(capsys, "--geometries", "2")
    lines = out.splitlines()
    assert code == 0 and len(lines) == 15
    for line in lines[1:]:
        smooth = any(name in line for name in ("Tanh", "Softmax", "L2"))
        assert ("agree to" in line and float(line.split()[-1]) < 1e-13) if smooth else line.endswith(": equal"), line


def test_the_command_shows_a_broken_layer_of_acai(capsys, monkeypatch):
    monkeypatch.setattr(nn.Tanh, "_backward", lambda self, dy, x, y: dy * (1 - x))
    code, out, _ = run(capsys, "--geometries", "2")
    assert code == 1 and "WRONG in 2" in out and "Tanh(): NOT right" in out


@pytest.fixture
def my_layers(tmp_path):
    path = tmp_path / "my_layers.py"
    source = inspect.getsource(Leaky).replace("slope: float,", "slope: float = 0.5,")
    path.write_text(f"import numpy as np\n\n{source}\nsomething = 3\n")
    return path


def test_the_command_proves_a_layer_of_ones_own(capsys, my_layers):
    code, out, _ = run(capsys, f"{my_layers}:Leaky", "--shape", "2,3,8,9")
    assert code == 0 and "Leaky(): right (every coordinate, no tolerance)" in out and "432 of 432" in out
    code, out, _ = run(capsys, f"{my_layers}:Leaky(0.5, 0.25)", "--shape", "(2, 3,)")
    assert code == 1 and "NOT right" in out


@pytest.mark.parametrize("arguments, message", [
    ([":Leaky"], "--shape is missing"),
    ([":Leaky", "--shape", "2,x"], "--shape 2,x: expected integers"),
    ([":Leaky", "--shape", "2,0"], "--shape 2,0: expected integers"),
    (["", "--shape", "2"], "expected a file and a class in it"),
    ([":Leeky", "--shape", "2"], "no class 'Leeky'; there is: Leaky"),
    ([":Leaky", "--shape", "()"], "--shape (): expected integers"),
    ([":Leaky", "--shape", "2", "--seed", "-1"], "acai: --seed=-1; expected an integer, at least 0"),
    ([":something", "--shape", "2"], "3 is not a layer"),
    ([":Leaky('a')", "--shape", "2"], "my_layers.py, line 9: "),
    ([":Leaky(", "--shape", "2"], "my_layers.py: SyntaxError"),
])
def test_the_command_names_mistakes(capsys, my_layers, arguments, message):
    code, _, err = run(capsys, f"{my_layers}{arguments[0]}", *arguments[1:])
    assert code == 2 and message in err and err.count("\n") == 1


def test_the_command_names_a_missing_file_and_a_senseless_number(capsys, tmp_path):
    code, _, err = run(capsys, f"{tmp_path}/nothing.py:Layer", "--shape", "2")
    assert code == 2 and err == f"acai: {tmp_path}/nothing.py: there is no such file\n"
    assert run(capsys, "--geometries", "0")[0] == 2


@pytest.mark.parametrize("code", [0, 1])
def test_a_file_that_ends_the_program_is_no_proof(capsys, tmp_path, code):
    (tmp_path / "my_layers.py").write_text(f"raise SystemExit({code})\n")
    ended, out, err = run(capsys, f"{tmp_path}/my_layers.py:Layer", "--shape", "2")
    assert ended == 2 and out == "" and err == f"acai: {tmp_path}/my_layers.py, line 1: SystemExit: {code}\n"


@pytest.fixture
def somebodys_file(tmp_path):
    (tmp_path / "sibling.py").write_text("def twice(x):\n    return 2 * x\n")
    path = tmp_path / "homework.py"
    path.write_text('''
import numpy as np
from sibling import twice

class Squares:
    def forward(self, y, t):
        self.d = y - t
        return float((self.d**2).sum())
    def backward(self):
        return twice(self.d)

class Noise:
    def forward(self, x):
        return x + np.random.default_rng().normal(size=x.shape)
    def backward(self, dy):
        return dy

class Log:
    def forward(self, x):
        self.x = x
        return np.log(np.maximum(x, 1e-9))
    def backward(self, dy):
        return dy / self.x

def softmax_loss(x, y):
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    dx = p.copy()
    dx[np.arange(len(x)), y] -= 1
    return -np.log(p[np.arange(len(x)), y]).sum(), dx

def affine_forward(x, w, b):
    return x @ w + b, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)

def relu(x):
    return np.maximum(x, 0), x

def relu_backward(dout, cache):
    return dout * (cache > 0)
''')
    return path


@pytest.mark.parametrize("arguments, code, said", [
    (["Squares", "--shape", "2,3", "--target", "1,2,3,4,5,6"], 0, "Squares(): right (every coordinate, no tolerance)"),
    (["Noise", "--shape", "2,3"], 2, "not checked: forward is random"),
    (["Log", "--shape", "2,3"], 1, "Log(): NOT right"),
    (["Log", "--shape", "2,3", "--between", "0.5", "2"], 0, "note: x was drawn from numbers between 0.5 and 2"),
    (["softmax_loss", "--shape", "3,4", "--target", "0,3,1"], 0, "softmax_loss: right"),
    (["relu, relu_backward", "--shape", "3,4"], 0, "relu: right (every coordinate, no tolerance)"),
    (["check_function(affine_forward, affine_backward, (5, 4), w=(4, 3), b=(3,))"], 0, "w    equal: 12 of 12 coordinates"),
    (["Noise", "--shape", "2,3", "--json"], 2, '"verdict": "not checked"'),
])
def test_losses_functions_siblings_domains_and_exit_codes(capsys, somebodys_file, arguments, code, said):
    found, out, err = run(capsys, f"{somebodys_file}:{arguments[0]}", *arguments[1:])
    assert found == code and said in out and err == ""


def test_a_slow_layer_shows_how_far_the_check_is(capsys, tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text("""
import time

class Slow:
    def forward(self, x):
        time.sleep(0.002)
        return 3 * x

    def backward(self, dy):
        return 3 * dy
""")
    layer = f"{tmp_path}/slow.py:Slow"
    monkeypatch.setattr("acai.gradcheck.progress.PATIENCE", 60)
    assert run(capsys, layer, "--shape", "1,2")[2] == ""
    monkeypatch.setattr("acai.gradcheck.progress.PATIENCE", 0.1)
    code, out, err = run(capsys, layer, "--shape", "2,10")
    assert code == 0 and "Slow(): right" in out and "\r" not in out
    assert "checking x" in err and "coordinate" in err and "checking points of floats" in err


def test_axes_are_called_what_they_are_and_json_is_for_programs(capsys, somebodys_file):
    _, out, _ = run(capsys, f"{somebodys_file}:Log", "--shape", "1,2,2,1", "--axes", "nhwc")
    assert "worst at (n, h, w, c) = " in out
    _, out, _ = run(capsys, f"{somebodys_file}:Log", "--shape", "2,3", "--json")
    told = json.loads(out)
    assert told["verdict"] == "wrong" and told["ok"] is False
    assert told["arrays"][0]["array"] == "x" and told["arrays"][0]["wrong"] > 0


@pytest.mark.parametrize("target, message", [("a,b", "--target a,b: expected numbers"), ("no.npy", "no.npy")])
def test_a_target_that_cannot_be_read_is_named(capsys, somebodys_file, target, message):
    code, _, err = run(capsys, f"{somebodys_file}:Squares", "--shape", "2,3", "--target", target)
    assert code == 2 and message in err and err.count("\n") == 1


def test_the_zoo_is_a_table(capsys, monkeypatch):
    monkeypatch.setattr("acai.teaching.zoo.hunting.ENTRIES", hunting.ENTRIES[:2])
    code, out, _ = run(capsys, "--zoo", "--geometries", "1")
    assert code == 0 and "ReLU" in out and "verdicts" in out and len(out.splitlines()) == 3
