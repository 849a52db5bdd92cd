"""`python -m tests.simulation`: run seeds, and say what went wrong and how to see it again."""

import sys

from tests.simulation.command import main

sys.exit(main(sys.argv[1:]))
