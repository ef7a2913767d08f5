"""IAM in process: every call of the handler is judged by the policies that the library synthesizes."""
