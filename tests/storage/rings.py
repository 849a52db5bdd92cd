"""Whether there is io_uring where the tests run."""

import pytest

from bpmnd.storage.io_uring import IoUring


def _is_here() -> bool:
    try:
        IoUring(1).close()
    except OSError:
        return False
    return True


needs_io_uring = pytest.mark.skipif(not _is_here(), reason="there is no io_uring here")
