"""A change set names what a deploy will change, whatever form the change takes."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from chime_local.engine import Engine
from local.change_sets import changes, create_change_set, deploy
from local.scripted_stack import ScriptedStack, Template


def att(name: str, attribute: str = "Arn") -> Template:
    """Refer to an attribute."""
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str, **variables: Any) -> Template:
    """Substitute, with variables of its own where there are some."""
    return {"Fn::Sub": [text, variables] if variables else text}


def part(source: Any, index: str = "0") -> Template:
    """Select one part of what is split: nothing but the real value can tell which."""
    return {"Fn::Select": [index, {"Fn::Split": ["/", source]}]}


def either(condition: str, yes: Any, no: Any) -> Template:
    """Choose by a condition."""
    return {"Fn::If": [condition, yes, no]}


FORMS: dict[str, tuple[Any, Any]] = {
    "literal": ("ann", "bob"),
    "Ref to a resource": ({"Ref": "Ann"}, {"Ref": "Bob"}),
    "literal that becomes a Ref": ("Ann", {"Ref": "Ann"}),
    "Fn::GetAtt of another resource": (att("Ann"), att("Bob")),
    "Fn::GetAtt in a list": ([att("Ann")], [att("Bob")]),
    "Fn::GetAtt in a map": ({"Deep": [{"Arn": att("Ann")}]}, {"Deep": [{"Arn": att("Bob")}]}),
    "Fn::GetAtt of another attribute": (att("Ann"), att("Ann", "Name")),
    "Fn::GetAtt as text": ({"Fn::GetAtt": "Ann.Arn"}, {"Fn::GetAtt": "Bob.Arn"}),
    "one reference more": ([att("Ann")], [att("Ann"), att("Bob")]),
    "one reference less": ([att("Ann"), att("Bob")], [att("Bob")]),
    "order of references": ([att("Ann"), att("Bob")], [att("Bob"), att("Ann")]),
    "Fn::Sub of an attribute": (sub("${Ann.Arn}/x"), sub("${Bob.Arn}/x")),
    "Fn::Sub of a reference": (sub("${Ann}"), sub("${Bob}")),
    "Fn::GetAtt in a variable of Fn::Sub": (sub("${Who}", Who=att("Ann")), sub("${Who}", Who=att("Bob"))),
    "Fn::Join of attributes": ({"Fn::Join": ["-", ["x", att("Ann")]]}, {"Fn::Join": ["-", ["x", att("Bob")]]}),
    "Fn::Select of a split attribute": (part(att("Ann"), "1"), part(att("Bob"), "1")),
    "another part of the same attribute": (part(att("Ann"), "1"), part(att("Ann"), "2")),
    "Fn::Select of attributes": (
        {"Fn::Select": ["0", [att("Ann"), "x"]]},
        {"Fn::Select": ["0", [att("Bob"), "x"]]},
    ),
    "Fn::Split of an attribute": ({"Fn::Split": ["/", att("Ann")]}, {"Fn::Split": ["/", att("Bob")]}),
    "Fn::Base64 of an attribute": ({"Fn::Base64": att("Ann")}, {"Fn::Base64": att("Bob")}),
    "Fn::If with another branch": (either("Yes", att("Ann"), "x"), either("Yes", att("Bob"), "x")),
    "Fn::If with another condition": (either("Yes", att("Ann"), att("Bob")), either("No", att("Ann"), att("Bob"))),
    "Fn::FindInMap with another key": ({"Fn::FindInMap": ["M", "a", "k"]}, {"Fn::FindInMap": ["M", "b", "k"]}),
    "Fn::ImportValue of another export": (
        {"Fn::ImportValue": "change-sets-ann"},
        {"Fn::ImportValue": "change-sets-bob"},
    ),
    "dynamic reference": ("{{resolve:ssm:change-sets-ann}}", "{{resolve:ssm:change-sets-bob}}"),
    "Ref to a parameter": ({"Ref": "Who"}, {"Ref": "Other"}),
    "pseudo parameter": ({"Ref": "AWS::Region"}, {"Ref": "AWS::Partition"}),
    "property taken out": (att("Ann"), {"Ref": "AWS::NoValue"}),
}
MAPPINGS = {"M": {"a": {"k": "x"}, "b": {"k": "y"}}}


def person(name: str, **given: Any) -> Template:
    """Declare a custom resource that answers attributes."""
    data = {"Arn": f"arn/{name}/1", "Name": name}
    answered = [{"Answer": {"PhysicalResourceId": f"id/{name}", "Data": data}}]
    return {
        "Type": "Custom::Scripted",
        "Properties": {"ServiceToken": att("Function"), "OnCreate": answered, "OnUpdate": answered, **given},
    }


def name_of(form: str) -> str:
    """Return the logical id of the resource that has a form."""
    return f"Form{list(FORMS).index(form)}"


def template(scripted: ScriptedStack, **given: Any) -> Template:
    """Declare two persons, a resource for each form, and one with two of them; `given` are values to change."""
    resources = {"Ann": person("ann"), "Bob": person("bob")}
    for form, (before, _) in FORMS.items():
        value = given.get(name_of(form), before)
        resources[name_of(form)] = {
            "Type": "Custom::Scripted",
            "Properties": {"ServiceToken": att("Function"), "Value": value},
        }
    both: dict[str, Any] = {"Mapped": {"Fn::FindInMap": ["M", "a", "k"]}, "Part": part(att("Ann"), "1")}
    return {
        **scripted.template(**both, resources=resources),
        "Mappings": copy.deepcopy(MAPPINGS),
        "Parameters": {"Who": {"Type": "String", "Default": "x"}, "Other": {"Type": "String", "Default": "y"}},
        "Conditions": {"Yes": {"Fn::Equals": ["x", {"Ref": "Who"}]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    }


@pytest.fixture(scope="module")
def forms(engine: Engine) -> Iterator[ScriptedStack]:
    """Deploy the stack of all forms, and what it imports."""
    values = {name: {"Value": name, "Export": {"Name": f"change-sets-{name}"}} for name in ("ann", "bob")}
    handle = {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    engine.deploy_template({"Resources": handle, "Outputs": values}, "ChangeSetsExports")
    for name in ("ann", "bob"):
        engine.client("ssm").put_parameter(Name=f"change-sets-{name}", Value=name, Type="String")
    scripted = ScriptedStack(engine)
    assert deploy(engine, scripted.name, template(scripted))["StackStatus"] == "CREATE_COMPLETE"
    yield scripted
    engine.delete(scripted.name)
    engine.delete("ChangeSetsExports")


@pytest.mark.parametrize("form", FORMS)
def test_change_of_every_form_is_in_the_change_set(forms: ScriptedStack, form: str) -> None:
    """One reference swapped for another is a change of that property, and of nothing else."""
    changed = template(forms, **{name_of(form): FORMS[form][1]})
    assert changes(forms.engine, forms.name, changed) == {name_of(form): ("Modify", ["Value"])}


def test_same_template_has_no_changes(forms: ScriptedStack) -> None:
    """A change set of what is there already fails with the words that the CDK CLI looks for."""
    made = create_change_set(forms.engine, forms.name, template(forms))
    assert (made["Status"], made["Changes"]) == ("FAILED", [])
    assert made["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_value_in_a_mapping_is_a_change_beside_a_select(forms: ScriptedStack) -> None:
    """What a mapping says counts also where another property of the resource cannot be resolved yet."""
    changed = template(forms)
    changed["Mappings"]["M"]["a"]["k"] = "z"
    found = changes(forms.engine, forms.name, changed)
    assert found == {
        "Scripted": ("Modify", ["Mapped"]),
        name_of("Fn::FindInMap with another key"): ("Modify", ["Value"]),
    }


def test_parameter_that_flips_a_condition_changes_every_fn_if(forms: ScriptedStack) -> None:
    """The same template with another value of a parameter changes what the condition decides."""
    expected = {name_of(form) for form in FORMS if form.startswith("Fn::If") or form == "Ref to a parameter"}
    assert set(changes(forms.engine, forms.name, template(forms), Who="other")) == expected


def test_attribute_of_a_changed_resource_is_a_change_of_what_reads_it(forms: ScriptedStack) -> None:
    """A resource that changes in the same update may answer other attributes: what reads them is listed."""
    changed = template(forms)
    changed["Resources"]["Bob"] = person("bob", More="x")
    found = changes(forms.engine, forms.name, changed)
    assert found["Bob"] == ("Modify", ["More"])
    assert found[name_of("one reference less")] == ("Modify", ["Value"])
    assert name_of("Fn::GetAtt of another resource") not in found, "that reads of Ann only"


def test_swapped_reference_reaches_the_resource(scripted: ScriptedStack) -> None:
    """What is deployed by change set arrives: the Update has the other one's attribute."""
    people = {"Ann": person("ann"), "Bob": person("bob")}
    deploy(scripted.engine, scripted.name, scripted.template(Member=[att("Ann")], resources=people))
    stack = deploy(scripted.engine, scripted.name, scripted.template(Member=[att("Bob")], resources=people))
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    last = list(scripted.events())[-1]
    assert (last["RequestType"], last["LogicalResourceId"]) == ("Update", "Scripted")
    assert last["OldResourceProperties"]["Member"] == ["arn/ann/1"]
    assert last["ResourceProperties"]["Member"] == ["arn/bob/1"]


def test_changed_attribute_reaches_what_reads_it(scripted: ScriptedStack) -> None:
    """A custom resource that answers another attribute changes what reads it, in the same update."""

    def declared(name: str) -> Template:
        return scripted.template(Member=att("Ann"), resources={"Ann": person(name)})

    deploy(scripted.engine, scripted.name, declared("ann"))
    deploy(scripted.engine, scripted.name, declared("eve"))
    last = [event for event in scripted.events() if event["LogicalResourceId"] == "Scripted"][-1]
    assert (last["RequestType"], last["ResourceProperties"]["Member"]) == ("Update", "arn/eve/1")


HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def small(**sections: Any) -> Template:
    """Declare a stack of one handle."""
    return {"Resources": {"Handle": dict(HANDLE)}, **sections}


def test_output_alone_is_a_change(scripted: ScriptedStack) -> None:
    """A change of outputs only has no resource changes, and yet is executed."""
    deploy(scripted.engine, scripted.name, small(Outputs={"Out": {"Value": "one"}}))
    changed = small(Outputs={"Out": {"Value": "two", "Export": {"Name": f"{scripted.name}-out"}}})
    stack = deploy(scripted.engine, scripted.name, changed)
    assert (stack["StackStatus"], stack["Outputs"][0]["OutputValue"]) == ("UPDATE_COMPLETE", "two")


def test_tags_of_the_stack_alone_are_a_change(scripted: ScriptedStack) -> None:
    """New tags are a change also where no resource of the stack can bear them."""
    deploy(scripted.engine, scripted.name, small(), tags={"team": "a"})
    stack = deploy(scripted.engine, scripted.name, small(), tags={"team": "b"})
    assert stack["Tags"] == [{"Key": "team", "Value": "b"}]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("DeletionPolicy", "Retain"), ("UpdateReplacePolicy", "Retain"), ("Metadata", {"a": "b"})],
)
def test_attribute_of_a_resource_is_a_change_but_no_request(
    scripted: ScriptedStack, attribute: str, value: Any
) -> None:
    """A policy or metadata is a change of the template; the resource gets no Update."""
    deploy(scripted.engine, scripted.name, scripted.template(Same="x", attributes={"DeletionPolicy": "Delete"}))
    changed = scripted.template(Same="x", attributes={"DeletionPolicy": "Delete", attribute: value})
    assert changes(scripted.engine, scripted.name, changed) == {"Scripted": ("Modify", [attribute])}
    assert deploy(scripted.engine, scripted.name, changed)["StackStatus"] == "UPDATE_COMPLETE"
    assert scripted.get_request_history() == [("Create", None)]


def test_depends_on_alone_is_no_change(scripted: ScriptedStack) -> None:
    """An order alone is no change."""
    resources = {"One": dict(HANDLE), "Two": dict(HANDLE)}
    deploy(scripted.engine, scripted.name, {"Resources": resources})
    changed = {"Resources": {"One": dict(HANDLE), "Two": {**HANDLE, "DependsOn": "One"}}}
    assert create_change_set(scripted.engine, scripted.name, changed)["Status"] == "FAILED"


def test_condition_that_flips_adds_and_removes_resources(scripted: ScriptedStack) -> None:
    """The same template with another parameter makes one resource and deletes another."""
    conditional = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Conditions": {
            "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Dev": {"Fn::Not": [{"Condition": "Prod"}]},
        },
        "Resources": {
            "Handle": dict(HANDLE),
            "OnlyProd": {**HANDLE, "Condition": "Prod"},
            "OnlyDev": {**HANDLE, "Condition": "Dev"},
        },
    }
    deploy(scripted.engine, scripted.name, conditional, Stage="dev")
    assert changes(scripted.engine, scripted.name, conditional, Stage="prod") == {
        "OnlyDev": "Remove",
        "OnlyProd": "Add",
    }
    deploy(scripted.engine, scripted.name, conditional, Stage="prod")
    listed = scripted.engine.client("cloudformation").describe_stack_resources(StackName=scripted.name)[
        "StackResources"
    ]
    assert {one["LogicalResourceId"] for one in listed} == {"Handle", "OnlyProd"}


CONDITIONS: dict[str, Any] = {
    "region": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
    "account": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "000000000000"]},
    "stack name": {"Fn::Equals": [{"Ref": "AWS::StackName"}, "$NAME"]},
    "Fn::Join": {"Fn::Equals": [{"Fn::Join": ["-", [{"Ref": "Stage"}, "x"]]}, "prod-x"]},
    "Fn::Sub": {"Fn::Equals": [sub("${Stage}-${AWS::Region}"), "prod-us-east-1"]},
    "Fn::FindInMap": {"Fn::Equals": [{"Fn::FindInMap": ["Big", {"Ref": "Stage"}, "yes"]}, "true"]},
    "Fn::Select": {"Fn::Equals": [{"Fn::Select": [1, {"Ref": "Listed"}]}, "b"]},
    "Fn::Split": {"Fn::Equals": [{"Fn::Select": [1, {"Fn::Split": ["-", "a-b"]}]}, "b"]},
    "nested": {
        "Fn::And": [
            {"Fn::Or": [{"Condition": "Never"}, {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}]},
            {"Fn::Not": [{"Condition": "Never"}]},
        ]
    },
}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_condition_of_every_form_is_decided(scripted: ScriptedStack, kind: str) -> None:
    """Conditions compare what their functions and pseudo parameters stand for."""
    expression = CONDITIONS[kind]
    if kind == "stack name":
        expression = {"Fn::Equals": [{"Ref": "AWS::StackName"}, scripted.name]}
    stack = deploy(
        scripted.engine,
        scripted.name,
        small(
            Parameters={
                "Stage": {"Type": "String", "Default": "prod"},
                "Listed": {"Type": "CommaDelimitedList", "Default": "a, b"},
            },
            Mappings={"Big": {"prod": {"yes": "true"}}},
            Conditions={"It": expression, "Never": {"Fn::Equals": ["a", "b"]}},
            Outputs={"It": {"Value": {"Fn::If": ["It", "yes", "no"]}}},
        ),
    )
    assert stack["Outputs"][0]["OutputValue"] == "yes"


@pytest.mark.parametrize("update", [deploy, Engine.deploy_template])
def test_type_of_a_resource_cannot_change(scripted: ScriptedStack, update: Any) -> None:
    """Another type under the same logical id is refused, by change set and by UpdateStack."""
    deploy(scripted.engine, scripted.name, scripted.template())
    changed = scripted.template()
    changed["Resources"]["Scripted"]["Type"] = "Custom::Other"
    arguments = (
        (scripted.engine, scripted.name, changed) if update is deploy else (scripted.engine, changed, scripted.name)
    )
    refused = scripted.engine.client("cloudformation").exceptions.ClientError
    with pytest.raises(refused, match=r"Update of resource type is not permitted\..*: \[Scripted\]"):
        update(*arguments)


def test_resource_may_be_named_as_its_stack(scripted: ScriptedStack) -> None:
    """Events of a resource and of a stack of one name are not taken for each other."""
    for value in "12":
        made = scripted.template(Value=value)
        made["Resources"][scripted.name] = made["Resources"].pop("Scripted")
        deploy(scripted.engine, scripted.name, made)
    assert scripted.statuses(scripted.name)[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
