"""`Custom::ChimeChannel`: observe, decide, plan, apply; `lifecycle` reads from top to bottom."""
