"""What lies in the directory of a partition replica."""

LOG = "log"
ARCHIVE = "archive"
CHECKPOINT = "checkpoint"
