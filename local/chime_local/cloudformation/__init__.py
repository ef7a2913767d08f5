"""CloudFormation as AWS has it, where MiniStack's says success for what it did not do (docs/adr/0009)."""

from __future__ import annotations

from chime_local._contract import Contract
from chime_local.cloudformation._changes import Changes
from chime_local.cloudformation._conditions import Conditions
from chime_local.cloudformation._events import Events
from chime_local.cloudformation._exports import Exports
from chime_local.cloudformation._ministack import MiniStack, MiniStackError
from chime_local.cloudformation._missing import MissingStacks
from chime_local.cloudformation._nested import NestedStacks
from chime_local.cloudformation._operation import Operations

__all__ = ["MiniStack", "MiniStackError", "install"]


def install(ministack: MiniStack, contract: Contract) -> None:
    """Put right what MiniStack's CloudFormation has wrong; the steps of the rollback are wrapped before."""
    exports = Exports(ministack)
    Events(ministack).install()
    MissingStacks(ministack).install()
    Conditions(ministack).install()
    Changes(ministack).install()
    exports.install()
    Operations(ministack, exports).install()
    NestedStacks(ministack, contract, exports).install()
