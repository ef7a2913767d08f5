"""Keeping what the engine knows: state folders, snapshots and seeds (docs/state.md)."""
