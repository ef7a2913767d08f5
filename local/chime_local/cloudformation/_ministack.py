"""The private parts of MiniStack that the engine uses. No other module imports MiniStack or names its parts.

MiniStack reads its settings when it is imported, so that it is imported when an object of these classes is made.
Each class attribute stands for one name in MiniStack. Reading it returns what stands under that name now; setting
it puts another in its place, in every module that has imported the name.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from copy import deepcopy
from importlib import import_module
from importlib.metadata import version
from typing import Any, Generic, TypeVar

from chime_local.errors import MiniStackError

VERSION = "1.5.33"
"""The release of MiniStack whose parts these are; pyproject.toml pins it."""

T = TypeVar("T")
Record = dict[str, Any]
"""A template, a stack, a resource or an event, as MiniStack holds it."""
Table = MutableMapping[str, Any]
Answer = tuple[int, Any, Any]
"""Status, headers and body."""
Action = Callable[[Any], Any]
"""Handles an action of an API; gets the request's parameters."""

_CFN = "services.cloudformation"
_ACTIONS = "core.iam_actions"
_EVALUATOR = "core.iam_evaluator"
_RUNTIME = "core.lambda_runtime"
_LAMBDA = "services.lambda_svc"
_RESPONSES = "core.responses"


class Part(Generic[T]):
    """One name in a module of MiniStack, and the other modules that have imported it."""

    def __init__(self, module: str, name: str, *importers: str) -> None:
        self._modules = tuple(f"ministack.{each}" for each in (module, *importers))
        self._name = name

    def missing(self) -> list[str]:
        """Return where the name is not, with the module."""
        return [
            f"{module}.{self._name}" for module in self._modules if not hasattr(import_module(module), self._name)
        ]

    def __get__(self, parts: object, owner: type | None = None) -> T:
        found: T = getattr(import_module(self._modules[0]), self._name)
        return found

    def __set__(self, parts: object, value: T) -> None:
        for module in self._modules:
            setattr(import_module(module), self._name, value)


def check_version() -> None:
    """Check that MiniStack is the release whose parts these are; raises MiniStackError."""
    found = version("ministack")
    if found != VERSION:
        raise MiniStackError(
            f"ministack {found} is installed, but this engine leans on the insides of {VERSION}: install that one "
            f"(pip install ministack=={VERSION})"
        )


class _Parts:
    """Parts of MiniStack; raises MiniStackError where one of them is missing."""

    def __init__(self) -> None:
        parts = [part for part in vars(type(self)).values() if isinstance(part, Part)]
        missing = [name for part in parts for name in part.missing()]
        if missing:
            raise MiniStackError(
                f"ministack {version('ministack')} is installed, and lacks {', '.join(missing)}; this engine needs "
                f"ministack {VERSION} as it was published (pip install --force-reinstall ministack=={VERSION})"
            )


class CloudFormation(_Parts):
    """MiniStack's CloudFormation."""

    # What it remembers
    stacks = Part[Table](_CFN, "_stacks")
    stack_events = Part[dict[str, list[Record]]](_CFN, "_stack_events")
    exports = Part[Table](_CFN, "_exports")
    change_sets = Part[Table](_CFN, "_change_sets")

    # Templates
    no_value = Part[object](f"{_CFN}.engine", "_NO_VALUE")
    apply_transforms = Part[Callable[..., Record]](f"{_CFN}.engine", "_apply_transforms")
    evaluate_conditions = Part[Callable[[Record, Record], dict[str, bool]]](
        f"{_CFN}.engine", "_evaluate_conditions", f"{_CFN}.stacks", f"{_CFN}.changesets", f"{_CFN}.handlers"
    )
    parse_template = Part[Callable[[str], Record]](f"{_CFN}.engine", "_parse_template")
    resolve_parameters = Part[Callable[..., Record]](f"{_CFN}.engine", "_resolve_parameters")
    resolve_refs = Part[Callable[..., Any]](f"{_CFN}.engine", "_resolve_refs")
    sort_resources = Part[Callable[[Record, Record], Iterable[str]]](f"{_CFN}.engine", "_topological_sort")
    validate_template = Part[Callable[..., None]](
        f"{_CFN}.engine", "validate_template_support", f"{_CFN}.changesets", f"{_CFN}.handlers"
    )
    read_template = Part[Callable[[Record], tuple[str, Any]]](f"{_CFN}.helpers", "_resolve_template")

    # Operations on stacks
    add_event = Part[Callable[..., None]](f"{_CFN}.stacks", "_add_event", f"{_CFN}.changesets", f"{_CFN}.handlers")
    start_operation = Part[Callable[..., None]](
        f"{_CFN}.stacks", "_create_stack_task_in_region", f"{_CFN}.changesets", f"{_CFN}.handlers"
    )
    deploy_stack = Part[Callable[..., Any]](
        f"{_CFN}.stacks", "_deploy_stack_async", f"{_CFN}.changesets", f"{_CFN}.handlers"
    )
    delete_stack = Part[Callable[..., Any]](f"{_CFN}.stacks", "_delete_stack_async", f"{_CFN}.handlers")
    roll_back_operation = Part[Callable[..., Any]](f"{_CFN}.stacks", "_roll_back_operation", f"{_CFN}.handlers")
    continue_update_rollback = Part[Callable[..., Any]](
        f"{_CFN}.stacks", "_continue_update_rollback_async", f"{_CFN}.handlers"
    )
    revert_update = Part[Callable[..., Awaitable[None]]](f"{_CFN}.stacks", "_revert_update")
    describe_failure = Part[Callable[..., Record]](f"{_CFN}.stacks", "_failed_operation")
    resolve_outputs = Part[Callable[..., tuple[list[Record], dict[str, Record]]]](
        f"{_CFN}.stacks", "_resolve_stack_outputs"
    )
    has_changed_tags = Part[Callable[[Record, Any, Any], bool]](f"{_CFN}.stacks", "_stack_tags_changed")
    with_dependencies = Part[Callable[[list[str], Record, set[str]], Iterable[str]]](
        f"{_CFN}.stacks", "_with_dependencies"
    )
    runs_on_worker_thread = Part[Callable[[str], bool]](f"{_CFN}.stacks", "_runs_on_worker_thread")
    run_on_worker_thread = Part[Callable[..., Awaitable[Any]]](f"{_CFN}.stacks", "run_reentrant")

    # Resources. What a rollback and an update delete is deleted through `stacks`; the definition is elsewhere.
    delete_resource = Part[Callable[..., None]](f"{_CFN}.stacks", "_delete_resource")
    update_resource = Part[Callable[..., Any]](f"{_CFN}.provisioners", "_update_resource", f"{_CFN}.stacks")
    delete_predecessor = Part[Callable[..., None]](f"{_CFN}.provisioners", "_delete_predecessor")
    resource_handlers = Part[Table](f"{_CFN}.provisioners", "_RESOURCE_HANDLERS")
    replacing_properties = Part[Table](f"{_CFN}.provisioners", "_REPLACING_PROPERTIES")
    stack_tag_properties = Part[Table](f"{_CFN}.provisioners", "_STACK_TAG_PROPERTY")
    check_nested_capabilities = Part[Callable[[str, Record], None]](
        f"{_CFN}.provisioners", "_check_nested_stack_capabilities"
    )
    inherited_capabilities = Part[Callable[[str], Any]](f"{_CFN}.provisioners", "_inherited_capabilities")
    tag_map = Part[Callable[[Any], dict[str, str]]](f"{_CFN}.provisioners", "_tag_map")
    invoke_custom_resource = Part[Callable[..., tuple[str, Record]]](
        f"{_CFN}.custom_resource", "invoke_custom_resource"
    )
    stringify_properties = Part[Callable[[Any], Any]](f"{_CFN}.custom_resource", "_normalise_resource_properties")
    response_url = Part[Callable[[str], str]](f"{_CFN}.custom_resource", "_response_url")
    reset_wait_conditions = Part[Callable[[], None]](f"{_CFN}.wait_conditions", "reset")

    # The API
    actions = Part[dict[str, Action]](f"{_CFN}.handlers", "_ACTION_HANDLERS")
    imported_names = Part[Callable[[Record, str], Iterable[str]]](f"{_CFN}.handlers", "_imported_export_names")
    import_lookups = Part[Table](f"{_CFN}.changesets", "_IMPORT_LOOKUPS")
    resolve_for_change_set = Part[Callable[..., Record]](f"{_CFN}.changesets", "_resolve_props_for_diff")

    region = Part[Callable[[], str]](_RESPONSES, "get_region")
    now = Part[Callable[[], str]](_RESPONSES, "now_iso")

    def wrap_action(self, action: str, wrap: Callable[[Action, Any], Any]) -> None:
        """Wrap the handler of an action: `wrap` gets the handler and the request's parameters."""
        handler = self.actions[action]
        self.actions[action] = lambda params: wrap(handler, params)

    def find_stack(self, name_or_id: str) -> Record | None:
        """Return a stack by its name or id; None where there is none."""
        found: Record | None = self.stacks.get(name_or_id)
        if found is None:
            found = next((stack for stack in self.stacks.values() if stack["StackId"] == name_or_id), None)
        return found

    def stack_outputs(self) -> dict[str, dict[str, str]]:
        """Return the outputs of all stacks, of every account and region, by the stacks' names."""
        found: dict[str, dict[str, str]] = {}
        for _, stack in self.stacks.all_items():  # type: ignore[attr-defined]
            outputs = {str(one["OutputKey"]): str(one["OutputValue"]) for one in stack.get("Outputs") or ()}
            found.setdefault(str(stack["StackName"]), {}).update(outputs)
        return found

    def ordered_ids(self, template: Record, conditions: Record) -> list[str]:
        """Return a template's logical ids, each after what it depends on."""
        resources = template.get("Resources") or {}
        try:
            return list(self.sort_resources(resources, conditions))
        except ValueError:  # circular: such a template was never deployed
            return list(resources)


class Iam(_Parts):
    """MiniStack's IAM and STS."""

    # Policies
    enforce = Part[Callable[..., Any]](_EVALUATOR, "enforce")
    evaluate = Part[Callable[..., Any]](_EVALUATOR, "evaluate")
    evaluate_trust_policy = Part[Callable[..., bool]](_EVALUATOR, "evaluate_trust_policy")
    evaluate_resource_policy = Part[Callable[..., Any]](_EVALUATOR, "evaluate_resource_policy")
    parse_policy_document = Part[Callable[[Any], list[Any]]](_EVALUATOR, "parse_policy_document")
    first_match = Part[Callable[[Any, list[Any], str], Any]](_EVALUATOR, "_first_match")
    action_matches = Part[Callable[[str, Any, Any], bool]](_EVALUATOR, "_action_matches")
    conditions_met = Part[Callable[[Any, Any], bool]](_EVALUATOR, "_conditions_met")
    condition_operators = Part[Table](_EVALUATOR, "_CONDITION_OPS")
    condition_key = Part[Callable[[str, Any], Any]](_EVALUATOR, "_resolve_condition_key")
    matches_pattern = Part[Callable[[str, str], bool]](_EVALUATOR, "fnmatch_iam_cs")
    permissions_boundary = Part[Callable[..., list[Any]]](_EVALUATOR, "_permissions_boundary")
    session_policies = Part[Callable[..., list[Any]]](_EVALUATOR, "_session_policy_limits")
    role_policies = Part[Callable[[str, str], list[Any]]](_EVALUATOR, "_gather_role_policies")
    user_policies = Part[Callable[[str, str], list[Any]]](_EVALUATOR, "_gather_user_policies")
    EvalResult = Part[Callable[..., Any]](_EVALUATOR, "EvalResult")
    EvalContext = Part[Callable[..., Any]](_EVALUATOR, "EvalContext")
    AuthError = Part[type[Any]](_EVALUATOR, "AuthError")

    # Principals
    roles = Part[Any]("services.iam", "_roles")
    users = Part[Any]("services.iam", "_users")
    actions = Part[dict[str, Callable[..., Any]]]("services.iam", "_IAM_HANDLERS")
    resource_handlers = Part[Table](f"{_CFN}.provisioners", "_RESOURCE_HANDLERS")

    # Access keys
    is_root_access_key = Part[Callable[[str], bool]](_EVALUATOR, "is_root_access_key")
    account_of_access_key = Part[Callable[[str], str | None]](_EVALUATOR, "find_iam_access_key_account")
    account_of_session = Part[Callable[[str], str | None]](_RESPONSES, "_account_from_sts_session")
    resolve_credential = Part[Callable[..., Any]](_EVALUATOR, "resolve_credential")
    AmbiguousAccessKeyError = Part[type[Exception]](_EVALUATOR, "AmbiguousAccessKeyError")
    CredentialResolutionError = Part[type[Any]](_EVALUATOR, "CredentialResolutionError")
    root_environment = Part[Any](_EVALUATOR, "os")
    """Of its variables root's credentials are read."""

    # Requests
    action_of_request = Part[Callable[..., str | None]](_ACTIONS, "extract_iam_action")
    resource_of_request = Part[Callable[..., str]](_ACTIONS, "extract_resource_arn")
    namespaces = Part[dict[str, str]](_ACTIONS, "SERVICE_TO_IAM_NAMESPACE")
    botocore_services = Part[dict[str, list[str]]](_ACTIONS, "_BOTOCORE_SERVICE_MAP")
    access_key_of = Part[Callable[..., str]]("core.router", "extract_access_key_id")
    account_scope = Part[Callable[[str], str]]("app", "_request_account_scope")
    set_account = Part[Callable[[str], None]](_RESPONSES, "set_request_account_id")
    set_region = Part[Callable[[str], None]](_RESPONSES, "set_request_region")
    pin_origin = Part[Callable[[str, bool], None]](_EVALUATOR, "pin_request_origin")
    pin_request = Part[Callable[..., None]](_EVALUATOR, "pin_signed_request")
    pin_body = Part[Callable[[bytes], None]](_EVALUATOR, "pin_signed_body")

    # STS
    handle_sts = Part[Callable[..., Awaitable[Any]]]("services.sts", "handle_request")
    session_tags = Part[Callable[..., Any]]("services.sts", "_session_tags")
    register_session = Part[Callable[[str, Record], None]]("services.sts", "register_session")
    sessions = Part[Table]("services.sts", "_sessions")
    sts_parameter = Part[Callable[[Any, str], Any]]("services.sts", "_p")
    sts_error = Part[Callable[..., Any]]("services.sts", "_error")


class Lambda(_Parts):
    """MiniStack's Lambda."""

    execute = Part[Callable[..., dict[str, Any]]](_LAMBDA, "_execute_function_dispatch")
    executions_in_flight = Part[Callable[[], tuple[int, Any]]](_LAMBDA, "executions_in_flight")
    find_function = Part[Callable[[str], tuple[Any, Any, Any]]](_LAMBDA, "_get_func_record_for_ref")
    event_invoke_config = Part[Callable[[Any, str | None], Record | None]](_LAMBDA, "_event_invoke_config")
    with_config = Part[Callable[[Any, Any], Any]](_LAMBDA, "_execution_record_for_config")
    invoke = Part[Callable[[Any, Record], dict[str, Any]]](_LAMBDA, "_execute_function_with_config_scope")
    code_url = Part[Callable[[str], str]](_LAMBDA, "_presigned_code_url")
    layer_url = Part[Callable[[str, int], str]](_LAMBDA, "_layer_content_url")
    environment = Part[Any](_RUNTIME, "os", _LAMBDA)
    """Of its variables Lambdas inherit some."""
    execution_credentials = Part[Callable[[Record], dict[str, str]]](_RUNTIME, "execution_credentials", _LAMBDA)
    trace_id = Part[Callable[..., str | None]](_LAMBDA, "_xray_trace_id_for_invocation")
    Environment = Part[Any](_RUNTIME, "Worker")
    OwnRuntimeEnvironment = Part[Any](_RUNTIME, "ProvidedWorker")
    runtime_binary = Part[Callable[[str], tuple[str, str]]](_RUNTIME, "_detect_runtime_binary")
    node_script = Part[str](_RUNTIME, "_NODEJS_WORKER_SCRIPT")
    workers = Part[dict[Any, list[Any]]](_RUNTIME, "_workers")
    workers_lock = Part[Any](_RUNTIME, "_lock")
    kill_workers = Part[Callable[[list[Any]], None]](_RUNTIME, "kill_workers")
    end_workers = Part[Callable[[], None]](_RUNTIME, "reset")
    region = Part[Callable[[], str]](_RESPONSES, "get_region")
    set_account = Part[Callable[[str], None]](_RESPONSES, "set_request_account_id")
    set_region = Part[Callable[[str], None]](_RESPONSES, "set_request_region")

    @staticmethod
    def kill_process(environment: Any) -> None:
        """Kill the process of an execution environment at once, as when its host dies."""
        process = environment._proc
        if process is not None:
            process.kill()

    def wrap_environments(self, *, start: Callable[..., Any], invoke: Callable[..., Any]) -> None:
        """Wrap two methods of execution environments; each wrapper gets the method, then its arguments."""
        for environment in (self.Environment, self.OwnRuntimeEnvironment):
            environment._spawn = _wrapped(environment._spawn, start)
            environment.invoke = _wrapped(environment.invoke, invoke)


def _wrapped(method: Callable[..., Any], wrap: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(environment: Any, *given: Any, **named: Any) -> Any:
        return wrap(method, environment, *given, **named)

    return wrapped


class App(_Parts):
    """MiniStack's ASGI application."""

    serve = Part[Callable[..., Awaitable[None]]]("app", "app")
    reset = Part[Callable[[], None]]("app", "_reset_all_state")
    detect_service = Part[Callable[..., str]]("app", "detect_service")
    routing_parameters = Part[Callable[..., Any]]("app", "_routing_params")
    dispatch = Part[Callable[..., Awaitable[Any]]]("app", "_dispatch_service_request")
    inflate = Part[Callable[[bytes, dict[str, str]], bytes]]("app", "_decompress_request_body")
    service_patterns = Part[Table]("core.router", "SERVICE_PATTERNS")


class State(_Parts):
    """What MiniStack remembers, by service. Its own functions for keeping state leave out what is in S3's objects.

    Importing S3 takes a while, so that this is made only where something is kept.
    """

    collect = Part[Callable[[], dict[str, Callable[[], Any]]]]("app", "_build_persistence_save_dict")
    modules = Part[dict[str, str]]("app", "_state_map")
    get_module = Part[Callable[[str], Any]]("app", "_get_module")
    AccountScopedDict = Part[type[Any]](_RESPONSES, "AccountScopedDict")
    AccountRegionScopedDict = Part[type[Any]](_RESPONSES, "AccountRegionScopedDict")
    sessions = Part[Table]("services.sts", "_sessions")
    buckets = Part[Any]("services.s3", "_buckets")
    object_tags = Part[Any]("services.s3", "_object_tags")
    object_acl = Part[Any]("services.s3", "_object_acl")
    object_annotations = Part[Any]("services.s3", "_object_annotations")
    object_versions = Part[Any]("services.s3", "_object_versions")
    object_retention = Part[Any]("services.s3", "_object_retention")
    object_legal_hold = Part[Any]("services.s3", "_object_legal_hold")
    multipart_uploads = Part[Any]("services.s3", "_multipart_uploads")
    externalize_code = Part[Callable[..., None]](_LAMBDA, "_externalize_code_zip")
    prune_code = Part[Callable[..., None]](_LAMBDA, "_prune_orphan_code_blobs")
    _OF_OBJECTS = (
        "object_tags",
        "object_acl",
        "object_annotations",
        "object_versions",
        "object_retention",
        "object_legal_hold",
        "multipart_uploads",
    )

    def __init__(self) -> None:
        super().__init__()
        # These would write the code of Lambdas to a folder that other processes of MiniStack share.
        self.externalize_code = lambda *_given: None
        self.prune_code = lambda *_given: None

    @property
    def scoped_types(self) -> tuple[type[Any], ...]:
        """The types of MiniStack's tables; each has its items in `_data`."""
        return (self.AccountScopedDict, self.AccountRegionScopedDict)

    def copy(self) -> dict[str, Any]:
        """Return a copy of what each service remembers; to be called between two requests."""
        copied = {name: get_state() for name, get_state in self.collect().items()}
        now = time.time()
        copied["s3-objects"] = {
            "objects": {key: deepcopy(bucket["objects"]) for key, bucket in self.buckets._data.items()},
            **{name: deepcopy(getattr(self, name)) for name in self._OF_OBJECTS},
        }
        copied["sts-sessions"] = {
            key: dict(session)
            for key, session in self.sessions.items()
            # Those of Lambdas have no end, and end with the process of their environment.
            if isinstance(session.get("Expiration"), (int, float)) and session["Expiration"] > now
        }
        return {name: state for name, state in copied.items() if state is not None}

    def restore(self, copied: dict[str, Any]) -> None:
        """Fill services that remember nothing with what `copy` returned."""
        for name, module in self.modules.items():
            if copied.get(name):
                self.get_module(module).load_persisted_state(copied[name])
        objects = copied.get("s3-objects") or {}
        for key, of_bucket in (objects.get("objects") or {}).items():
            self.buckets._data.setdefault(key, {})["objects"] = of_bucket
        for name in self._OF_OBJECTS:
            if name in objects:
                getattr(self, name)._data.update(objects[name]._data)
        self.sessions.update(copied.get("sts-sessions") or {})


class MiniStack:
    """All parts of MiniStack that the engine uses; raises MiniStackError where one of them is missing."""

    def __init__(self) -> None:
        self.app = App()
        self.cloudformation = CloudFormation()
        self.iam = Iam()
        self.lambdas = Lambda()
