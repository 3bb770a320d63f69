"""``python -m rmaunet COMMAND ...`` is the same as ``rmaunet COMMAND ...``."""

from rmaunet.cli.main import run

if __name__ == "__main__":
    run()
