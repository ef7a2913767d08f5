"""Measures this package beside its peers: `python -m bench`, and `python -m bench.side_by_side`."""
