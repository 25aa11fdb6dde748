"""
The programs in C, compiled when they are needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_SOURCES = Path(__file__).parent
_PROGRAMS = {"load": ("load.c", "clients.c", "game.c", "modes.c"), "bare": ("bare.c",)}
_FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror")


class CompilerError(Exception):
    """
    There is no C compiler, or it refuses the sources.
    """


def compiler() -> str:
    """
    The path of the C compiler.

    :raises CompilerError: if there is none.
    """
    name = os.environ.get("CC", "cc")
    found = shutil.which(name)
    if found is None:
        raise CompilerError(f"no C compiler: {name} is not on the PATH")
    return found


def program(name: str) -> Path:
    """
    The path of a compiled program, compiled now unless these sources were compiled before.

    :param name: ``load`` or ``bare``.
    :raises CompilerError: if it cannot be compiled.
    """
    cc = compiler()
    target = _cache() / f"{name}-{_fingerprint(cc)}"
    if not target.exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        sources = [_SOURCES / source for source in _PROGRAMS[name]]
        compiled = subprocess.run(
            [cc, *_FLAGS, "-o", partial, *sources, "-lm"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if compiled.returncode:
            raise CompilerError(f"{cc} cannot compile {name}:\n{compiled.stderr}")
        partial.rename(target)
    return target


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    directory = Path(base) / "signalfish-benchmarks"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _fingerprint(cc: str) -> str:
    digest = hashlib.sha256(" ".join((cc, *_FLAGS)).encode())
    for path in sorted(_SOURCES.glob("*.[ch]")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
