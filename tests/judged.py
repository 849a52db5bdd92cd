"""Whether the long forms of the tests are asked for (`make judge`)."""

import os
from typing import Final

JUDGE: Final = os.environ.get("BPMND_JUDGE", "") == "1"
