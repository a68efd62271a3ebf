"""The command line, one function a command: its signature makes the options and its docstring the help (see `acai.cli`)."""
