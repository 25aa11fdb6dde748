"""
All scripts, played against both servers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import groupby

from tests.integration.harness import Server
from tests.interop.transcripts.compare import differences
from tests.interop.transcripts.expected import EXPECTED, matches
from tests.interop.transcripts.normal import normalised
from tests.interop.transcripts.play import Play, Transcript
from tests.interop.transcripts.public import PublicServer
from tests.interop.transcripts.scripts import (  # noqa: F401 - each adds its scripts
    SCRIPTS,
    Script,
    data,
    entering,
    lobby,
    malformed,
    negotiation,
    operations,
    returns,
    sessions,
    signals,
    watching,
)

_OURS = {"SIGNAL_FISH__RATE_LIMIT__ADDRESS_MULTIPLIER": "1000"}  # all clients come from one address


@cache
def found() -> list[str]:
    """
    All differences, one line each.
    """
    lines: list[str] = []
    for settings, scripts in groupby(sorted(SCRIPTS, key=_settings), _settings):
        with _servers(dict(settings)) as urls:
            for script in scripts:
                ours, public = (_played(script, url) for url in urls)
                lines += differences(script.name, ours, public)
    return lines


def unexpected() -> list[str]:
    """
    The differences for which there is no reason.
    """
    return [line for line in found() if not any(entry.covers(line) for entry in EXPECTED)]


def vanished() -> list[str]:
    """
    The reasons for which there is no difference.
    """
    patterns = [pattern for entry in EXPECTED for pattern in entry.patterns]
    return [it for it in patterns if not any(matches(it, line) for line in found())]


def report() -> str:
    """
    All differences with their reasons, and those without.
    """
    lines = []
    for entry in EXPECTED:
        covered = [f"  {line}" for line in found() if entry.covers(line)]
        lines += [f"{entry.reason}:", *covered, ""]
    lines += ["UNEXPECTED:", *unexpected(), "", "VANISHED:", *vanished()]
    return "\n".join(lines)


def _settings(script: Script) -> tuple[tuple[str, str], ...]:
    return script.settings


def _played(script: Script, url: Callable[[str], str]) -> Transcript:
    play = Play(url)
    try:
        script.perform(play)
        return normalised(play)
    except Exception as error:
        error.add_note(f"script: {script.name}, {url('')}")
        raise
    finally:
        play.end()


@contextmanager
def _servers(variables: dict[str, str]) -> Iterator[tuple[Callable[[str], str], ...]]:
    ours = Server(variables={**_OURS, **variables})
    try:
        public = PublicServer(variables)
        try:
            yield ours.url, public.url
        finally:
            public.stop()
    finally:
        ours.stop()
