"""Tests of the construct library: what it writes into templates, and what it refuses."""
