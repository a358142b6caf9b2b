"""Worlds that somebody else wrote. Their files import one another by their bare names."""

import sys
from pathlib import Path

if str(Path(__file__).parent) not in sys.path:
    sys.path.append(str(Path(__file__).parent))
