"""What tests of the handler share: a harness with the real entry point, one resource of each type, ARNs."""
