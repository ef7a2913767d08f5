"""The channel behind `Custom::ChimeChannel`: parse, observe, plan, apply, answer.

Nothing in this package imports boto3 or crhelper; `index.py` hands it what it needs.
"""
