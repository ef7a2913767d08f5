"""Tests of the local engine: who may call it, its IAM and its CloudFormation."""
