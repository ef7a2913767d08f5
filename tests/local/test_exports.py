"""Exports: an export that another stack imports can neither change nor be deleted."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.engine import Engine, EngineError
from local.change_sets import deploy
from local.scripted_stack import ScriptedStack

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def exporting(name: str, value: str, **more: Any) -> dict[str, Any]:
    """Declare a stack that exports a value, and another one where `more` says so."""
    outputs = {"Out": {"Value": value, "Export": {"Name": name}}, **more}
    return {"Resources": {"Handle": HANDLE}, "Outputs": outputs}


def importing(name: str) -> dict[str, Any]:
    """Declare a stack that imports a value."""
    return {"Resources": {"Handle": HANDLE}, "Outputs": {"In": {"Value": {"Fn::ImportValue": name}}}}


def exports(engine: Engine) -> dict[str, str]:
    """Return the values of all exports by name."""
    return {export["Name"]: export["Value"] for export in engine.client("cloudformation").list_exports()["Exports"]}


@pytest.fixture
def name(scripted: ScriptedStack) -> str:
    """Return the name of an export that another stack imports."""
    name = f"{scripted.name}-value"
    deploy(scripted.engine, scripted.name, exporting(name, "old"))
    deploy(scripted.engine, f"{scripted.name}In", importing(name))
    return name


def refusal(scripted: ScriptedStack, template: dict[str, Any]) -> str:
    """Deploy an update that is rolled back, and return its error message."""
    assert deploy(scripted.engine, scripted.name, template)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    return scripted.engine.failures(scripted.name)[-1]


def test_value_of_an_export_in_use_cannot_change(scripted: ScriptedStack, name: str) -> None:
    """The update rolls back with AWS's error message, and the export keeps its value."""
    message = refusal(scripted, exporting(name, "new"))
    assert message == f"{scripted.name}: Export {name} cannot be updated as it is in use by {scripted.name}In"
    assert exports(scripted.engine)[name] == "old"


def test_export_in_use_cannot_be_removed(scripted: ScriptedStack, name: str) -> None:
    """The update rolls back with AWS's error message, and the export keeps its value."""
    message = refusal(scripted, {"Resources": {"Handle": HANDLE, "More": HANDLE}})
    assert message == f"{scripted.name}: Export {name} cannot be deleted as it is in use by {scripted.name}In"
    assert exports(scripted.engine)[name] == "old"


def test_update_stack_cannot_change_export_in_use(scripted: ScriptedStack, name: str) -> None:
    """UpdateStack fails with the same error as a change set."""
    with pytest.raises(EngineError, match=f"Export {name} cannot be updated as it is in use by {scripted.name}In"):
        scripted.engine.deploy_template(exporting(name, "new"), scripted.name)


def test_export_without_import_can_change(scripted: ScriptedStack, name: str) -> None:
    """Another export of the same stack."""
    for value in ("a", "b"):
        other = {"Other": {"Value": value, "Export": {"Name": f"{name}-other"}}}
        assert (
            deploy(scripted.engine, scripted.name, exporting(name, "old", **other))["StackStatus"]
            == "UPDATE_COMPLETE"
        )
        assert exports(scripted.engine)[f"{name}-other"] == value


def test_export_can_change_after_importing_stack_is_deleted(scripted: ScriptedStack, name: str) -> None:
    """The value can change, and the export can be deleted."""
    scripted.engine.delete(f"{scripted.name}In")
    deploy(scripted.engine, scripted.name, exporting(name, "new"))
    assert exports(scripted.engine)[name] == "new"
    deploy(scripted.engine, scripted.name, {"Resources": {"Handle": HANDLE, "More": HANDLE}})
    assert name not in exports(scripted.engine)


def test_list_imports_names_the_importing_stacks(scripted: ScriptedStack, name: str) -> None:
    """ListImports names the importing stacks."""
    listed = scripted.engine.client("cloudformation").list_imports(ExportName=name)
    assert listed["Imports"] == [f"{scripted.name}In"]


def test_stack_with_export_in_use_cannot_be_deleted(scripted: ScriptedStack, name: str) -> None:
    """DeleteStack is refused."""
    with pytest.raises(scripted.engine.client("cloudformation").exceptions.ClientError, match=name):
        scripted.engine.delete(scripted.name)
    assert exports(scripted.engine)[name] == "old"


def test_second_export_of_a_name_fails(scripted: ScriptedStack, name: str) -> None:
    """The second stack rolls back with AWS's error message."""
    with pytest.raises(EngineError, match=f"Export with name {name} is already exported by stack {scripted.name}"):
        scripted.engine.deploy_template(exporting(name, "mine"), f"{scripted.name}Second")
    assert exports(scripted.engine)[name] == "old"
