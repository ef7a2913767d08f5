"""The handler of `Custom::Chime…` resources: parse, observe, decide, plan, apply, respond.

Nothing in this package imports boto3 or crhelper; `index.py` hands it what it needs.
"""
