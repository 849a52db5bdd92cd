"""Processors: one for each command. They read the state, and emit events or reject."""
