"""Book one, the rules as data; this module only says where it is."""

from pathlib import Path

ROOT = Path(__file__).parent
