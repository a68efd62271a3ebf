"""A synthetic class: submissions that are right, wrong, blank and hostile, made from the sources of the notebooks."""

import json

from course import BUILD

FIRST = "02"
HOSTILE = {  # what one cell of the notebook is, and what the notes must say of it
    "takes all memory": ("waste = [bytearray(2**28) for _ in range(2**16)]", "MemoryError"),
    "one huge array": ("waste = np.ones(2**44)", "MemoryError"),
    "prints a gigabyte": ("for _ in range(2**20):\n    print('x' * 1024)", "printed more than 10,000,000"),
    "deletes the class": ("import shutil\nshutil.rmtree('{outside}')", "PermissionError"),
    "deletes a file": ("import os\nos.remove('{outside}/precious.txt')", "PermissionError"),
    "overwrites a file": ("open('{outside}/precious.txt', 'w').write('gone')", "PermissionError"),
    "reads a file": ("print(open('{outside}/precious.txt').read())", "PermissionError"),
    "renames a file": ("import os\nos.rename('{outside}/precious.txt', 'mine.txt')", "PermissionError"),
    "follows a link": ("import os\nos.symlink('{outside}', 'link')\nopen('link/precious.txt', 'w')", "PermissionError"),
    "starts a program": ("import subprocess\nsubprocess.run(['touch', '{outside}/new'])", "PermissionError"),
    "asks a shell": ("import os\nos.system('touch {outside}/new')", "PermissionError"),
    "kills its parent": ("import os\nos.kill(os.getppid(), 9)", "PermissionError"),
    "forks": ("import os\nwhile True:\n    os.fork()", "PermissionError"),
    "uses the network": ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9')", "Error"),
    "opens a socket": ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "PermissionError"),
    "exits": ("raise SystemExit(0)", "SystemExit"),
    "is no Python": ("def f(:", "SyntaxError"),
    "recurses": ("def f():\n    return f()\nf()", "RecursionError"),
    "fills the disk": ("f = open('big', 'wb')\nfor _ in range(2**20):\n    f.write(bytes(2**20))", "OSError"),
    "redefines check": ("check = lambda *a, **k: print('✓ 02-pearson: right.')", ""),
    "redefines NumPy": ("np.allclose = lambda *a, **k: True", ""),
}
LETHAL = {  # the process has to be started again
    "never ends": ("while True:\n    pass", "had not finished after"),
    "never ends and catches everything": (
        "while True:\n    try:\n        pass\n    except BaseException:\n        pass", "had not finished after",
    ),
    "leaves": ("import os\nos._exit(0)", "ended the process"),
    "crashes": ("import ctypes\nctypes.string_at(0)", "ended the process"),
}
MESSAGE = """
import os, struct
text = {text!r}
for n in range(3, 20):
    try:
        os.write(n, struct.pack('<Q', len(text)) + text)
    except OSError:
        pass
"""
FORGED = {  # what must not give a mark to a blank
    "check": (
        "import acai.teaching.exercises as e\ne.check = lambda *a, **k: print('✓ 02-pearson: right.')\n"
        "check = e.require = e.check"
    ),
    "the comparison": (
        "import numpy\nnumpy.allclose = lambda *a, **k: True\nfrom acai.teaching.exercises import checking\n"
        "checking.nearly_equal = lambda *a: True\nchecking.expect = lambda *a, **k: None\nchecking.CHECKS.clear()"
    ),
    "a file with results": "import json\njson.dump({'ok': True}, open('result.json', 'w'))\nprint('✓ 02-pearson: right.')",
    "the desk": "from acai.classroom import desk\ndesk.is_blank = None\ndesk.OBJECTS.clear()\ndesk.GIVEN['02-pearson'] = 1",
    "a message": MESSAGE.format(text=b'{"answers": {"02-pearson": true}, "stopped": 1}'),
    "a value in a message": MESSAGE.format(text=b'{"answers": {"02-pearson": {"array": 3}}, "stopped": null}'),
    "a call of a function that was not given": MESSAGE.format(text=b'{"callback": -1, "given": {"list": []}}'),
}


def cell(text):
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": text}


def notebook(number="02", kind="solution", only=None, first=()):
    """A notebook with the exercises of one kind; `first` is the text of cells at its beginning."""
    (source,) = BUILD.sources(number)
    cells = BUILD.cells(source)
    setup = next(each.text for each in cells if each.kind == "code")
    chosen = [each.text for each in cells if each.kind == kind and (only is None or each.name in only)]
    return {"cells": [cell(text) for text in (setup, *first, *chosen)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def hand_in(folder, book, name="02_neighbours.ipynb"):
    folder.mkdir(parents=True, exist_ok=True)
    text = book if isinstance(book, str) else json.dumps(book)
    (folder / name).write_text(text, encoding="utf-8")
