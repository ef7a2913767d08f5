"""IAM in process: every call of the handler is evaluated against the policies that the library synthesizes."""
