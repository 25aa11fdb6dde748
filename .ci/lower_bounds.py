"""
Write the lowest versions that the installed signalfish allows, as pip requirements.
"""

import re
import sys
from importlib.metadata import requires
from pathlib import Path

LOWER_BOUND = re.compile(r"^([\w.-]+)>=([\w.]+)$")

with Path(sys.argv[1]).open("w") as requirements:
    for requirement in requires("signalfish") or []:
        if "extra ==" in requirement:
            continue
        match = LOWER_BOUND.match(requirement)
        if match is None:
            sys.exit(f"{requirement}: not a plain lower bound")
        print(f"{match[1]}=={match[2]}", file=requirements)
