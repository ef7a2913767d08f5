"""Lambda functions: what they may see of this machine, and their end."""
