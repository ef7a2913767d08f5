"""IAM for the emulated service, and patches of MiniStack's IAM (docs/adr/0010)."""
