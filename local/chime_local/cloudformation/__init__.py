"""CloudFormation as AWS has it, where MiniStack's says success for what it did not do (docs/adr/0009)."""

from __future__ import annotations

from chime_local.cloudformation._ministack import CloudFormation, MiniStack, check_version
from chime_local.cloudformation.change_sets import ChangeSets
from chime_local.cloudformation.conditions import Conditions
from chime_local.cloudformation.custom_resources import CustomResourceInvoker
from chime_local.cloudformation.events import Events
from chime_local.cloudformation.exports import Exports
from chime_local.cloudformation.missing_stacks import MissingStacks
from chime_local.cloudformation.nested_stacks import NestedStacks
from chime_local.cloudformation.stack_operations import StackOperations
from chime_local.recording import Recorder

__all__ = ["MiniStack", "check_version", "install"]


def install(ministack: CloudFormation, invoker: CustomResourceInvoker, recorder: Recorder) -> None:
    """Put right what MiniStack's CloudFormation has wrong; the steps of the rollback are wrapped before."""
    exports = Exports(ministack)
    Events(ministack, recorder).install()
    MissingStacks(ministack).install()
    Conditions(ministack).install()
    ChangeSets(ministack).install()
    exports.install()
    StackOperations(ministack, exports).install()
    NestedStacks(ministack, invoker, exports).install()
