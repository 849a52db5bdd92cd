"""Why a command has no outcome."""


class Unavailable(Exception):  # noqa: N818  says what happened
    """The partition has no leader that can be reached, or the node stops."""


class NoLeader(Unavailable):
    """Nothing was done: the partition does not lead here (any more). The command may be handed in again."""


class Refused(Unavailable):
    """Nothing was done: the partition has more work than it can do in time; come back later."""


class OutcomeUnknown(Unavailable):
    """The command was decided, but its leader is gone before it was known to be committed: it may have taken
    effect or not."""


class AnswerTooLarge(Exception):  # noqa: N818  says what happened
    """A query finds more than can be answered at once; with a smaller page it can."""


class HistoryUnavailable(Unavailable):
    """The history of a partition cannot be read now: it lags behind, or the query took too long."""
