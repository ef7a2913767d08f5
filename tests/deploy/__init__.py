"""Tests of stacks that the CDK makes, deployed on the local engine."""
