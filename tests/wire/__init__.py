"""Tests of the deployed Lambda with real clients, against a server that plays AWS on the wire."""
