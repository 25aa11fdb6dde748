"""
Build the public Signal Fish server, as a yardstick: ``python -m benchmarks.public DIRECTORY``.

Needs ``cargo`` and the network. The program is then ``DIRECTORY/bin/signal-fish-server``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess

CRATE = "signal-fish-server"
VERSION = "0.12.0"


def main() -> None:
    """
    Build it, with the dependencies that its authors have locked.

    :raises SystemExit: if that is not possible.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("directory", metavar="DIRECTORY")
    directory = parser.parse_args().directory
    cargo = shutil.which("cargo")
    if cargo is None:
        raise SystemExit("benchmarks: no cargo on the PATH")
    command = [cargo, "install", CRATE, "--version", VERSION, "--locked", "--root", directory]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
