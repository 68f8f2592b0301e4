import sys
from pathlib import Path

# The bench finds the demo's stimulus inside the simulator by this path too.
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
