"""Tests of many requests at once, on a clock of their own."""
