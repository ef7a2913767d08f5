"""Tests of the emulated service, against the engine or AWS itself."""
