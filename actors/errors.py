"""Why a partition could not take a command: nothing was done, and nothing will be."""


class Unavailable(Exception):  # noqa: N818  says what happened
    """The partition has no leader that can be reached, or the node stops."""


class Refused(Unavailable):
    """The partition has more work than it can do in time; the caller should come back later."""
