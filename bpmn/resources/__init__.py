"""What can be deployed: a file for each kind of resource, and one line for each in `kinds.py`."""
