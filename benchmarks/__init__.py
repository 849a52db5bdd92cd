"""Measures a node from outside, over its REST API; `python -m benchmarks.run --help` says how."""
