"""The command `acai gradcheck`: the scoreboard, a layer of one's own, and what it says of mistakes."""

import inspect

import numpy as np
import pytest

from acai import cli, nn


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
    code, out, _ = run(capsys, "--geometries", "4")
    lines = out.splitlines()
    assert code == 0 and len(lines) == 15
    for line in lines[1:]:
        smooth = any(name in line for name in ("Tanh", "Softmax", "L2"))
        assert ("agree to" in line and float(line.split()[-1]) < 1e-13) if smooth else line.endswith(": equal"), line


def test_the_command_shows_a_broken_layer_of_acai(capsys, monkeypatch):
    monkeypatch.setattr(nn.Tanh, "_backward", lambda self, dy, x, y: dy * (1 - x))
    code, out, _ = run(capsys, "--geometries", "3")
    assert code == 1 and "WRONG in 3" in out and "Tanh(): NOT right" in out


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
    ([":Leaky", "--shape", "2,x"], "--shape 2,x: expected whole numbers"),
    ([":Leaky", "--shape", "2,0"], "--shape 2,0: expected whole numbers"),
    (["", "--shape", "2"], "expected a file and a class in it"),
    ([":Leeky", "--shape", "2"], "no class 'Leeky'; there is: Leaky"),
    ([":Leaky", "--shape", "()"], "--shape (): expected whole numbers"),
    ([":Leaky", "--shape", "2", "--seed", "-1"], "acai: --seed=-1; expected an integer, at least 0"),
    ([":something", "--shape", "2"], "3 is no layer"),
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
