"""Who may call what: IAM for the emulated service, and cures of MiniStack's IAM (docs/adr/0010)."""
